internal import CKernelShims

// Weights are 8-bit integers with a scale for each row, activations are integers with one scale for
// the vector: that of the largest element, or of a bound that is known beforehand.
//
// Products of integers are exact, so that sums are the same in any order and on any CPU. The dot
// product takes unsigned bytes of the vector, to which 128 is added; the header starts the sums from
// -128 times the sum of each row. Behind these offsets stand the rows' scales.

/// What both forms have in common.
protocol IntegerFormat: WeightFormat where Weights == IntegerVector {}

extension IntegerFormat {
  @inline(always) var groupBytes: Int { 64 }
  @inline(always) var headerBytes: Int { 128 }
  @inline(always) var isExact: Bool { true }

  @inline(always)
  func operand(
    _ x: UnsafePointer<Float>, _ count: Int, _ scratch: UnsafeMutableRawPointer, _ scale: Float
  ) -> Operand { unsafe Operand(scratch, groups: (count &+ 3) &>> 2, scale: scale) }

  @inline(always)
  func weights(_ w: UnsafeRawPointer) -> IntegerVector { unsafe rn_load_integers(w) }
}

/// The factor from floats to integers of -limit...limit, and its inverse, for a vector.
@inline(always)
private func scales(
  _ x: UnsafePointer<Float>, _ count: Int, bound: Float, limit: Float
) -> (toIntegers: Float, toFloats: Float) {
  var bound = bound
  if bound == 0 {
    var largest = Vector.zero
    var k = 0
    while k < count {
      let rest = Int32(truncatingIfNeeded: min(16, count &- k))
      largest = unsafe rn_max_magnitude(
        largest, rn_keep_first(rn_magnitude(load(x + k)), rest, 0))
      k &+= 16
    }
    bound = rn_largest_magnitude(largest)
    // An infinite factor, or one that makes finite numbers infinite, would help nobody.
    if bound < 0x1p-60 { return (0, 0) }
  }
  return (limit / bound, bound / limit)
}

/// 8-bit weights, 16-bit activations: the sums of the activations' lower and upper bytes apart.
struct Int8Format: IntegerFormat {
  struct Sum { var low, high: IntegerVector }
  struct Word { var low, high: IntegerVector }

  @inline(always) var isOneVector: Bool { false }
  @inline(always) var zero: Sum { Sum(low: .zero, high: .zero) }

  @inline(always)
  func prepare(
    _ x: UnsafePointer<Float>, _ count: Int, bound: Float, _ scratch: UnsafeMutableRawPointer
  ) -> Float {
    let scale = unsafe scales(x, count, bound: bound, limit: 32767)
    var k = 0
    while k < count {
      unsafe rn_store_split_bytes(
        rn_round(load(x + k) * scale.toIntegers), scratch + 2 &* k)
      k &+= 16
    }
    return scale.toFloats
  }

  @inline(always)
  func begin(_ total: Vector, _ header: UnsafeRawPointer, _ row: Int) -> Sum {
    unsafe Sum(low: .zero, high: rn_load_integers(header + 64 &* row))
  }

  @inline(always)
  func word(_ words: UnsafeRawPointer, _ group: Int) -> Word {
    unsafe Word(
      low: rn_broadcast_integer(words, Int64(truncatingIfNeeded: 2 &* group)),
      high: rn_broadcast_integer(words, Int64(truncatingIfNeeded: 2 &* group &+ 1)))
  }

  @inline(always)
  func add(_ sum: Sum, _ w: IntegerVector, _ x: Word) -> Sum {
    Sum(low: rn_dot_int8(sum.low, w, x.low), high: rn_dot_int8(sum.high, w, x.high))
  }

  @inline(always)
  func merge(_ a: Sum, _ b: Sum) -> Sum { Sum(low: a.low &+ b.low, high: a.high &+ b.high) }

  @inline(always)
  func end(
    _ sum: Sum, _ total: Vector, _ header: UnsafeRawPointer, _ row: Int, _ rows: Int,
    _ scale: Float
  ) -> Vector {
    let product = rn_fma(
      rn_float(sum.high), Vector(repeating: 256), rn_float(sum.low))
    return unsafe rn_fma(product, load(header, rows &+ row) * scale, total)
  }
}

/// 8-bit weights, 8-bit activations.
struct NarrowInt8Format: IntegerFormat {
  @inline(always) var isOneVector: Bool { true }
  @inline(always) var zero: IntegerVector { .zero }

  @inline(always)
  func prepare(
    _ x: UnsafePointer<Float>, _ count: Int, bound: Float, _ scratch: UnsafeMutableRawPointer
  ) -> Float {
    let scale = unsafe scales(x, count, bound: bound, limit: 127)
    var k = 0
    while k < count {
      unsafe rn_store_bytes(rn_round(load(x + k) * scale.toIntegers), scratch + k)
      k &+= 16
    }
    return scale.toFloats
  }

  @inline(always)
  func begin(_ total: Vector, _ header: UnsafeRawPointer, _ row: Int) -> IntegerVector {
    unsafe rn_load_integers(header + 64 &* row)
  }

  @inline(always)
  func word(_ words: UnsafeRawPointer, _ group: Int) -> IntegerVector {
    unsafe rn_broadcast_integer(words, Int64(truncatingIfNeeded: group))
  }

  @inline(always)
  func add(_ sum: IntegerVector, _ w: IntegerVector, _ x: IntegerVector) -> IntegerVector {
    rn_dot_int8(sum, w, x)
  }

  @inline(always)
  func merge(_ a: IntegerVector, _ b: IntegerVector) -> IntegerVector { a &+ b }

  @inline(always)
  func end(
    _ sum: IntegerVector, _ total: Vector, _ header: UnsafeRawPointer, _ row: Int, _ rows: Int,
    _ scale: Float
  ) -> Vector {
    unsafe rn_fma(rn_float(sum), load(header, rows &+ row) * scale, total)
  }
}
