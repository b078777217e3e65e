internal import CKernelShims

/// How a matrix stands in its panels, and how its product with a vector is summed.
///
/// A panel holds, for each group of columns, the weights of a few blocks of 16 rows side by side.
/// The vector is made of words, one for each group of columns. A product has two parts, of the input
/// and of the hidden state; each adds to the totals of 16 rows.
protocol WeightFormat {
  /// Running sums of 16 rows.
  associatedtype Sum
  /// The weights of 16 rows in one group of columns.
  associatedtype Weights
  /// The vector's elements of one group of columns, for all rows.
  associatedtype Word

  /// Bytes of 16 rows of a group.
  var groupBytes: Int { get }
  /// Bytes of 16 rows' constants in front of each part.
  var headerBytes: Int { get }
  var zero: Sum { get }

  /// Whether sums are the same in any order.
  var isExact: Bool { get }
  /// Whether a `Sum` is one vector.
  var isOneVector: Bool { get }
  /// Whether a vector's words are made, and are not the vector itself.
  var hasWords: Bool { get }

  /// Makes a vector's words, which may stand at `scratch`, and gives their scale.
  ///
  /// - Parameter bound: No element's magnitude is larger; 0 where that is not known.
  func prepare(
    _ x: UnsafePointer<Float>, _ count: Int, bound: Float, _ scratch: UnsafeMutableRawPointer
  ) -> Float
  /// A vector whose words have been made.
  func operand(
    _ x: UnsafePointer<Float>, _ count: Int, _ scratch: UnsafeMutableRawPointer, _ scale: Float
  ) -> Operand
  /// The sums to start a part from.
  func begin(_ total: Vector, _ header: UnsafeRawPointer, _ row: Int) -> Sum
  func weights(_ w: UnsafeRawPointer) -> Weights
  func word(_ words: UnsafeRawPointer, _ group: Int) -> Word
  func add(_ sum: Sum, _ w: Weights, _ x: Word) -> Sum
  func merge(_ a: Sum, _ b: Sum) -> Sum
  /// The totals at the end of a part.
  ///
  /// - Parameters:
  ///   - row: Which of the `rows` vectors of rows that the header describes.
  func end(
    _ sum: Sum, _ total: Vector, _ header: UnsafeRawPointer, _ row: Int, _ rows: Int,
    _ scale: Float
  ) -> Vector
}

/// A vector, in the words of a format.
@safe struct Operand {
  let words: UnsafeRawPointer
  /// The number of groups of columns.
  let groups: Int
  /// What integers are multiplied with.
  let scale: Float

  @inline(always)
  init(_ words: UnsafeRawPointer, groups: Int, scale: Float = 1) {
    unsafe self.words = words
    self.groups = groups
    self.scale = scale
  }
}

/// What weights of floats have in common: sums are totals.
protocol FloatFormat: WeightFormat where Sum == Vector {}

extension FloatFormat {
  @inline(always) var headerBytes: Int { 0 }
  @inline(always) var zero: Vector { .zero }
  @inline(always) var isExact: Bool { false }
  @inline(always) var isOneVector: Bool { true }

  @inline(always)
  func begin(_ total: Vector, _ header: UnsafeRawPointer, _ row: Int) -> Vector { total }

  @inline(always)
  func merge(_ a: Vector, _ b: Vector) -> Vector { a + b }

  @inline(always)
  func end(
    _ sum: Vector, _ total: Vector, _ header: UnsafeRawPointer, _ row: Int, _ rows: Int,
    _ scale: Float
  ) -> Vector { sum }
}

/// Formats whose vectors stay 32-bit floats, where they stand.
protocol FloatVectorFormat: FloatFormat where Weights == Vector, Word == Vector {}

extension WeightFormat {
  @inline(always) var hasWords: Bool { true }
}

extension FloatVectorFormat {
  @inline(always) var hasWords: Bool { false }

  @inline(always)
  func prepare(
    _ x: UnsafePointer<Float>, _ count: Int, bound: Float, _ scratch: UnsafeMutableRawPointer
  ) -> Float { 1 }

  @inline(always)
  func operand(
    _ x: UnsafePointer<Float>, _ count: Int, _ scratch: UnsafeMutableRawPointer, _ scale: Float
  ) -> Operand { unsafe Operand(x, groups: count) }

  @inline(always)
  func word(_ words: UnsafeRawPointer, _ group: Int) -> Vector {
    unsafe rn_broadcast(words, Int64(truncatingIfNeeded: group))
  }

  @inline(always)
  func add(_ sum: Vector, _ w: Vector, _ x: Vector) -> Vector { rn_fma(w, x, sum) }
}

/// Weights are 32-bit floats.
struct Float32Format: FloatVectorFormat {
  @inline(always) var groupBytes: Int { 64 }

  @inline(always)
  func weights(_ w: UnsafeRawPointer) -> Vector { unsafe rn_load(w) }
}

/// Weights are half-precision floats.
struct Float16Format: FloatVectorFormat {
  @inline(always) var groupBytes: Int { 32 }

  @inline(always)
  func weights(_ w: UnsafeRawPointer) -> Vector { unsafe rn_load_float16(w) }
}

/// Weights and activations are bfloat16, in pairs of columns.
struct BFloat16Format: FloatFormat {
  @inline(always) var groupBytes: Int { 64 }

  @inline(always)
  func prepare(
    _ x: UnsafePointer<Float>, _ count: Int, bound: Float, _ scratch: UnsafeMutableRawPointer
  ) -> Float {
    var k = 0
    while k < count {
      let rest = Int32(truncatingIfNeeded: min(16, count &- k))
      unsafe rn_store_bfloat16(rn_keep_first(load(x + k), rest, 0), scratch + 2 &* k)
      k &+= 16
    }
    return 1
  }

  @inline(always)
  func operand(
    _ x: UnsafePointer<Float>, _ count: Int, _ scratch: UnsafeMutableRawPointer, _ scale: Float
  ) -> Operand { unsafe Operand(scratch, groups: (count &+ 1) &>> 1) }

  @inline(always)
  func weights(_ w: UnsafeRawPointer) -> IntegerVector { unsafe rn_load_integers(w) }

  @inline(always)
  func word(_ words: UnsafeRawPointer, _ group: Int) -> IntegerVector {
    unsafe rn_broadcast_integer(words, Int64(truncatingIfNeeded: group))
  }

  @inline(always)
  func add(_ sum: Vector, _ w: IntegerVector, _ x: IntegerVector) -> Vector {
    rn_dot_bfloat16(sum, w, x)
  }
}
