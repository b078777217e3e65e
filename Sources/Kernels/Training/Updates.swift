internal import CKernelShims

/// Sums over rows and shards, and what an update does with every single parameter.
package enum Updates {
  /// `sum += addend`, each `[count]`.
  package static func add(
    _ addend: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int
  ) {
    var some = SomeUnits(size: count)
    while some.advance() {
      unsafe some.store(some.load(sum) + some.load(addend), sum)
    }
  }

  /// Adds the rows of a matrix to `sum`, `[size]`, one after the other.
  package static func addRows(
    _ x: UnsafePointer<Float>, stride: Int, rows: Int, size: Int,
    to sum: UnsafeMutablePointer<Float>
  ) {
    // As many rows at a time as L1 holds of wide ones.
    var first = 0
    while first < rows {
      let end = min(first &+ 8, rows)
      var some = SomeUnits(size: size)
      while some.advance() {
        var total = unsafe some.load(sum)
        var row = first
        while row < end {
          total += unsafe some.load(x + row &* stride)
          row &+= 1
        }
        unsafe some.store(total, sum)
      }
      first = end
    }
  }

  /// The sum of the squares, in double precision: those of each eighth place together, then these.
  package static func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
    var sum = SIMD8<Double>(repeating: 0)
    var some = SomeUnits(size: count)
    while some.advance() {
      let x = unsafe some.load(values)
      sum = rn_add_products(x, x, sum)
    }
    return rn_sum_doubles(sum)
  }

  /// One step of Adam; `Optimizer` has the equations.
  ///
  /// Moments whose magnitude is below 2^-60 become 0, as those of parameters that have no gradient any
  /// more: with any epsilon in use they move nothing, and denormal numbers would take the CPU hundreds of
  /// cycles each.
  ///
  /// - Parameters:
  ///   - rate: The learning rate by the bias correction of the mean.
  ///   - correction: The root of the square's bias correction.
  ///   - decay: What is left of a parameter.
  package static func adam(
    _ parameters: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
    square: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, count: Int, rate: Float,
    correction: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float
  ) {
    var some = SomeUnits(size: count)
    while some.advance() {
      let gradient = unsafe some.load(gradients)
      let m = unsafe flush(some.load(mean) * beta1 + gradient * (1 - beta1))
      let v = unsafe rn_flush(
        some.load(square) * beta2 + gradient * (1 - beta2) * gradient, 0x1p-120)
      unsafe some.store(m, mean)
      unsafe some.store(v, square)
      let step = m * rate / (rn_square_root(v) / Vector(repeating: correction) + epsilon)
      unsafe some.store(some.load(parameters) * decay - step, parameters)
    }
  }
}
