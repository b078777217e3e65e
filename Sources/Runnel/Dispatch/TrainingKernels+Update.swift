internal import Kernels
internal import KernelsV3
internal import KernelsV4

// What a window ends with: the loss, and an update of the parameters. The kernels say what is what.

extension TrainingKernels {
  /// The sum of weight × loss over some rows, and the gradient of `scale` times that.
  package func softmaxCrossEntropy(
    _ outputs: UnsafePointer<Float>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Float>, rows: Int, smoothing: Float, scale: Float,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    switch level {
    case .v4:
      unsafe KernelsV4::SoftmaxCrossEntropy.evaluate(
        outputs, size: size, classes: classes, weights: weights, rows: rows, smoothing: smoothing,
        scale: scale, gradient: gradient)
    case .v3:
      unsafe KernelsV3::SoftmaxCrossEntropy.evaluate(
        outputs, size: size, classes: classes, weights: weights, rows: rows, smoothing: smoothing,
        scale: scale, gradient: gradient)
    case .v2:
      unsafe Kernels::SoftmaxCrossEntropy.evaluate(
        outputs, size: size, classes: classes, weights: weights, rows: rows, smoothing: smoothing,
        scale: scale, gradient: gradient)
    }
  }

  /// The weights of the rows whose class has the largest output, together.
  package func weightOfRight(
    _ outputs: UnsafePointer<Float>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Float>, rows: Int
  ) -> Double {
    switch level {
    case .v4:
      unsafe KernelsV4::SoftmaxCrossEntropy.weightOfRight(
        outputs, size: size, classes: classes, weights: weights, rows: rows)
    case .v3:
      unsafe KernelsV3::SoftmaxCrossEntropy.weightOfRight(
        outputs, size: size, classes: classes, weights: weights, rows: rows)
    case .v2:
      unsafe Kernels::SoftmaxCrossEntropy.weightOfRight(
        outputs, size: size, classes: classes, weights: weights, rows: rows)
    }
  }

  /// Adds the rows of a matrix to `sum`, `[size]`.
  package func addRows(
    _ x: UnsafePointer<Float>, stride: Int, rows: Int, size: Int,
    to sum: UnsafeMutablePointer<Float>
  ) {
    switch level {
    case .v4: unsafe KernelsV4::Updates.addRows(x, stride: stride, rows: rows, size: size, to: sum)
    case .v3: unsafe KernelsV3::Updates.addRows(x, stride: stride, rows: rows, size: size, to: sum)
    case .v2: unsafe Kernels::Updates.addRows(x, stride: stride, rows: rows, size: size, to: sum)
    }
  }

  /// `sum += addend`.
  package func add(_ addend: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int)
  {
    switch level {
    case .v4: unsafe KernelsV4::Updates.add(addend, to: sum, count: count)
    case .v3: unsafe KernelsV3::Updates.add(addend, to: sum, count: count)
    case .v2: unsafe Kernels::Updates.add(addend, to: sum, count: count)
    }
  }

  /// The sum of the squares, in double precision.
  package func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
    switch level {
    case .v4: unsafe KernelsV4::Updates.sumOfSquares(values, count: count)
    case .v3: unsafe KernelsV3::Updates.sumOfSquares(values, count: count)
    case .v2: unsafe Kernels::Updates.sumOfSquares(values, count: count)
    }
  }

  /// A step of Adam.
  package func adam(
    _ parameters: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
    square: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, count: Int, rate: Float,
    correction: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::Updates.adam(
        parameters, mean: mean, square: square, gradients: gradients, count: count, rate: rate,
        correction: correction, decay: decay, beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .v3:
      unsafe KernelsV3::Updates.adam(
        parameters, mean: mean, square: square, gradients: gradients, count: count, rate: rate,
        correction: correction, decay: decay, beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .v2:
      unsafe Kernels::Updates.adam(
        parameters, mean: mean, square: square, gradients: gradients, count: count, rate: rate,
        correction: correction, decay: decay, beta1: beta1, beta2: beta2, epsilon: epsilon)
    }
  }
}
