extension Loss {
  /// The sum over the rows of weight × loss; and, where it is asked for, the gradient of `scale`
  /// times that sum.
  ///
  /// With outputs `x`, shape `[rows, size]`, target class `y` or values `t`:
  ///
  ///     softmax   log Σ exp(x) - Σ q x          softmax(x) - q,  q = (1 - s) [k = y] + s / size
  ///     sigmoid   mean of max(x, 0) - x t + log(1 + exp(-|x|))        (σ(x) - t) / size
  ///     squared   mean of (x - t)²                                    2 (x - t) / size
  ///
  /// Softmax subtracts the largest `x` first, so nothing overflows; `s` is the label smoothing.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func evaluate<Scalar: TrainingScalar>(
    _ outputs: UnsafePointer<Scalar>, size: Int, targets: LossTargets<Scalar>,
    labelSmoothing: Scalar = 0, scale: Scalar = 1, gradient: UnsafeMutablePointer<Scalar>? = nil
  ) -> Double {
    if self == .softmaxCrossEntropy {
      return unsafe targets.classes.withUnsafeBufferPointer { classes in
        unsafe targets.weights.withUnsafeBufferPointer { weights in
          guard let classes = classes.baseAddress, let weights = weights.baseAddress else {
            return 0
          }
          return unsafe Scalar.softmaxCrossEntropy(
            outputs, size: size, classes: classes, weights: weights, rows: targets.weights.count,
            smoothing: labelSmoothing, scale: scale, gradient: gradient)
        }
      }
    }
    var total = 0.0
    for row in 0..<targets.weights.count {
      let x = unsafe outputs + row * size
      let dx = unsafe gradient.map { unsafe $0 + row * size }
      let weight = targets.weights[row]
      guard weight != 0 else {
        unsafe dx?.update(repeating: 0, count: size)
        continue
      }
      let loss =
        self == .sigmoidCrossEntropy
        ? unsafe Self.sigmoid(x, size, targets.values, at: row * size, scale * weight, dx)
        : unsafe Self.squared(x, size, targets.values, at: row * size, scale * weight, dx)
      total += Double(weight) * Double(loss)
    }
    return total
  }

  @inline(__always)
  private static func sigmoid<Scalar: TrainingScalar>(
    _ x: UnsafePointer<Scalar>, _ size: Int, _ targets: [Scalar], at start: Int, _ scale: Scalar,
    _ dx: UnsafeMutablePointer<Scalar>?
  ) -> Scalar {
    var sum: Scalar = 0
    for k in 0..<size {
      let value = unsafe x[k]
      let target = targets[start + k]
      let small = Scalar.exponential(-abs(value))
      sum += max(value, 0) - value * target + Scalar.logarithm(onePlus: small)
      if let dx = unsafe dx {
        let sigmoid = value >= 0 ? 1 / (1 + small) : small / (1 + small)
        unsafe dx[k] = scale * (sigmoid - target) / Scalar(size)
      }
    }
    return sum / Scalar(size)
  }

  @inline(__always)
  private static func squared<Scalar: TrainingScalar>(
    _ x: UnsafePointer<Scalar>, _ size: Int, _ targets: [Scalar], at start: Int, _ scale: Scalar,
    _ dx: UnsafeMutablePointer<Scalar>?
  ) -> Scalar {
    var sum: Scalar = 0
    for k in 0..<size {
      let difference = unsafe x[k] - targets[start + k]
      sum += difference * difference
      if let dx = unsafe dx { unsafe dx[k] = 2 * scale * difference / Scalar(size) }
    }
    return sum / Scalar(size)
  }
}
