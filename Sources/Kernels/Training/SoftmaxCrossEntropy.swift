internal import CKernelShims

/// Softmax and cross-entropy of rows of outputs; `Loss` has the equations.
package enum SoftmaxCrossEntropy {
  /// The sum of weight × loss over the rows; and, where it is asked for, the gradient of `scale` times
  /// that sum.
  ///
  /// - Parameters:
  ///   - outputs: `[rows, size]`, and so is `gradient`.
  ///   - classes: `[rows]`, each below `size`; any where the weight is 0.
  ///   - weights: `[rows]`.
  package static func evaluate(
    _ outputs: UnsafePointer<Float>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Float>, rows: Int, smoothing: Float, scale: Float,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    var total = SIMD8<Double>(repeating: 0)
    var row = 0
    while row < rows {
      let count = min(16, rows &- row)
      var losses = Losses()
      var lane = 0
      while lane < count {
        let weight = unsafe weights[row &+ lane]
        let x = unsafe outputs + (row &+ lane) &* size
        let dx = unsafe gradient.map { unsafe $0 + (row &+ lane) &* size }
        if weight != 0 {
          unsafe losses.add(
            x, size, target: classes[row &+ lane], smoothing: smoothing, scale: scale * weight, dx,
            Int32(truncatingIfNeeded: lane))
        } else if let dx = unsafe dx {
          var some = SomeUnits(size: size)
          while some.advance() { unsafe some.store(.zero, dx) }
        }
        lane &+= 1
      }
      let some = unsafe rn_load_first(weights + row, Int32(truncatingIfNeeded: count))
      total = rn_add_products(some, losses.values(smoothing), total)
      row &+= 16
    }
    return rn_sum_doubles(total)
  }

  /// The losses of sixteen rows: one logarithm is enough for all of them.
  private struct Losses {
    /// For each row, the sum of the exponentials, and the outputs of the target and on average, less the
    /// largest one.
    private var partitions = Vector(repeating: 1)
    private var targets = Vector.zero
    private var means = Vector.zero

    @inline(always)
    func values(_ smoothing: Float) -> Vector {
      logarithm(partitions) - targets * (1 - smoothing) - means * smoothing
    }

    /// Adds a row, and writes its gradient.
    @inline(always)
    mutating func add(
      _ x: UnsafePointer<Float>, _ size: Int, target: Int, smoothing: Float, scale: Float,
      _ dx: UnsafeMutablePointer<Float>?, _ lane: Int32
    ) {
      var largest = Vector(repeating: -.infinity)
      var some = SomeUnits(size: size)
      while some.advance() { largest = unsafe rn_max(largest, some.load(x, orElse: -.infinity)) }
      let maximum = rn_largest(largest)
      var sum = Vector.zero
      some = SomeUnits(size: size)
      while some.advance() {
        let e = unsafe exponential(some.load(x) - maximum)
        sum += some.keep(e)
        if let dx = unsafe dx { unsafe some.store(e, dx) }
      }
      let partition = rn_sum(sum)
      partitions = rn_replace(partitions, lane, partition)
      targets = unsafe rn_replace(targets, lane, x[target] - maximum)
      if smoothing != 0 {
        var distances = Vector.zero
        some = SomeUnits(size: size)
        while some.advance() { distances += unsafe some.keep(some.load(x) - maximum) }
        means = rn_replace(means, lane, rn_sum(distances) / Float(size))
      }
      guard let dx = unsafe dx else { return }
      let factor = Vector(repeating: scale / partition)
      let spread = Vector(repeating: scale * smoothing / Float(size))
      some = SomeUnits(size: size)
      while some.advance() { unsafe some.store(rn_fma(some.load(dx), factor, -spread), dx) }
      unsafe dx[target] -= scale * (1 - smoothing)
    }
  }

  /// The weights of the rows whose class has the largest output, together; of outputs that are the same,
  /// the first one counts.
  package static func weightOfRight(
    _ outputs: UnsafePointer<Float>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Float>, rows: Int
  ) -> Double {
    var total = 0.0
    var row = 0
    while row < rows {
      let x = unsafe outputs + row &* size
      let target = unsafe classes[row]
      var isRight = true
      var some = SomeUnits(size: size)
      while some.advance() {
        let before = Int32(truncatingIfNeeded: target &- some.start)
        if unsafe rn_any_above(some.load(x, orElse: -.infinity), x[target], before) {
          isRight = false
        }
      }
      if isRight { total += unsafe Double(weights[row]) }
      row &+= 1
    }
    return total
  }
}
