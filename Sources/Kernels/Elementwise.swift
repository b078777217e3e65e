internal import CKernelShims

/// Operations on whole slots, vector by vector.
///
/// The elements behind a slot's size, up to the next
/// whole vector, may hold anything finite; nothing reads them.
enum Elementwise {
  @inline(always)
  static func map(
    _ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer, _ f: (Vector) -> Vector
  ) {
    let count = vectorCount(size)
    var k = 0
    while k < count {
      unsafe store(flush(f(load(x, k))), y, k)
      k &+= 1
    }
  }

  @inline(always)
  static func map(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer,
    _ f: (Vector, Vector) -> Vector
  ) {
    let count = vectorCount(size)
    var k = 0
    while k < count {
      unsafe store(flush(f(load(a, k), load(b, k))), y, k)
      k &+= 1
    }
  }

  /// With two vectors of weights for each of x: the first ones, then the second ones.
  @inline(always)
  static func map(
    _ x: UnsafeRawPointer, weights: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer,
    _ f: (Vector, Vector, Vector) -> Vector
  ) {
    let count = vectorCount(size)
    var k = 0
    while k < count {
      unsafe store(flush(f(load(x, k), load(weights, k), load(weights, count &+ k))), y, k)
      k &+= 1
    }
  }

  @inline(always)
  static func tanh<A: Accuracy>(
    _ accuracy: A, _ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer
  ) {
    let count = vectorCount(size)
    var k = 0
    while k < count {
      let v = unsafe load(x, k)
      unsafe store(flush(rn_keep_nan(v, accuracy.tanh(v).value)), y, k)
      k &+= 1
    }
  }

  @inline(always)
  static func fastSigmoid(_ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer) {
    let count = vectorCount(size)
    var k = 0
    while k < count {
      let v = unsafe load(x, k)
      unsafe store(rn_keep_nan(v, Fast().sigmoid(v).value), y, k)
      k &+= 1
    }
  }

  /// `max(x, 0) + slope min(x, 0)`.
  @inline(always)
  static func prelu(
    _ slopes: UnsafeRawPointer, _ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer
  ) {
    unsafe map(x, slopes, size, y) { x, slope in
      let positive = rn_relu(x)
      return rn_fma(x - positive, slope, positive)
    }
  }

  /// `max(x, 0) + scale (exp(min(x, 0)) - 1)`.
  @inline(always)
  static func elu(
    _ scales: UnsafeRawPointer, _ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer
  ) {
    unsafe map(x, scales, size, y) { x, scale in
      let positive = rn_relu(x)
      return rn_fma(exponential(x - positive) - 1, scale, positive)
    }
  }

  /// `(x - mean) / √(variance + epsilon) scale + shift`; the weights are the scales' vectors, the
  /// shifts', and one that begins with epsilon.
  @inline(always)
  static func layerNorm(
    _ weights: UnsafeRawPointer, _ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer
  ) {
    let count = vectorCount(size)
    let share = 1 / Float(size)
    var sum = Vector.zero
    var k = 0
    while k < count {
      let rest = Int32(truncatingIfNeeded: size &- 16 &* k)
      sum += unsafe rn_keep_first(load(x, k), rest, 0)
      k &+= 1
    }
    let mean = Vector(repeating: rn_sum(sum) * share)
    var squares = Vector.zero
    k = 0
    while k < count {
      let rest = Int32(truncatingIfNeeded: size &- 16 &* k)
      let distance = unsafe rn_keep_first(load(x, k) - mean, rest, 0)
      squares = rn_fma(distance, distance, squares)
      k &+= 1
    }
    let epsilon = unsafe rn_broadcast(weights, Int64(truncatingIfNeeded: 32 &* count))
    let variance = Vector(repeating: rn_sum(squares) * share)
    let factor = 1 / rn_square_root(variance + epsilon)
    k = 0
    while k < count {
      let normal = unsafe (load(x, k) - mean) * factor
      unsafe store(flush(rn_fma(normal, load(weights, k), load(weights, count &+ k))), y, k)
      k &+= 1
    }
  }

  /// `exp(x - max x) / sum(exp(x - max x))`.
  @inline(always)
  static func softmax(_ x: UnsafeRawPointer, _ size: Int, _ y: UnsafeMutableRawPointer) {
    let count = vectorCount(size)
    var largest = Vector(repeating: -.infinity)
    var k = 0
    while k < count {
      let rest = Int32(truncatingIfNeeded: size &- 16 &* k)
      largest = unsafe rn_max(largest, rn_keep_first(load(x, k), rest, -.infinity))
      k &+= 1
    }
    let maximum = Vector(repeating: rn_largest(largest))
    var sum = Vector.zero
    k = 0
    while k < count {
      let rest = Int32(truncatingIfNeeded: size &- 16 &* k)
      let e = unsafe rn_keep_first(exponential(load(x, k) - maximum), rest, 0)
      unsafe store(e, y, k)
      sum += e
      k &+= 1
    }
    let total = Vector(repeating: rn_sum(sum))
    k = 0
    while k < count {
      unsafe store(flush(load(UnsafeRawPointer(y), k) / total), y, k)
      k &+= 1
    }
  }

  /// Copies `size` floats, in whole vectors from an aligned to an unaligned place or back.
  @inline(always)
  static func copy(_ x: UnsafePointer<Float>, _ size: Int, _ y: UnsafeMutablePointer<Float>) {
    var k = 0
    // Arrays are aligned to 16 or 32 bytes: a store of 32 crosses cache lines less often than one of
    // 64, which costs more than the second store.
    while k &+ 8 <= size {
      unsafe rn_copy8(x + k, y + k)
      k &+= 8
    }
    if k < size {
      let count = Int32(truncatingIfNeeded: size &- k)
      unsafe rn_store_first(rn_load_first(x + k, count), y + k, count)
    }
  }
  /// Writes zeros.
  @inline(always)
  static func fill(_ size: Int, _ y: UnsafeMutablePointer<Float>) {
    var k = 0
    while k < size {
      unsafe rn_store_first(.zero, y + k, Int32(truncatingIfNeeded: min(16, size &- k)))
      k &+= 16
    }
  }
}
