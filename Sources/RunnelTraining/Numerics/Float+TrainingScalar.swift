#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

internal import Runnel

extension Float: TrainingScalar {
  package static func exponential(_ x: Float) -> Float { expf(x) }
  package static func logarithm(onePlus x: Float) -> Float { log1pf(x) }

  package static func softmaxCrossEntropy(
    _ outputs: UnsafePointer<Float>, size: Int, classes: UnsafePointer<Int>,
    weights: UnsafePointer<Float>, rows: Int, smoothing: Float, scale: Float,
    gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    unsafe TrainingKernels.best.softmaxCrossEntropy(
      outputs, size: size, classes: classes, weights: weights, rows: rows, smoothing: smoothing,
      scale: scale, gradient: gradient)
  }

  package static func addRows(
    _ x: UnsafePointer<Float>, stride: Int, rows: Int, size: Int,
    to sum: UnsafeMutablePointer<Float>
  ) {
    unsafe TrainingKernels.best.addRows(x, stride: stride, rows: rows, size: size, to: sum)
  }

  package static func add(
    _ addend: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int
  ) {
    unsafe TrainingKernels.best.add(addend, to: sum, count: count)
  }

  package static func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
    unsafe TrainingKernels.best.sumOfSquares(values, count: count)
  }

  package static func adam(
    _ parameters: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
    square: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, count: Int, rate: Float,
    correction: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float
  ) {
    unsafe TrainingKernels.best.adam(
      parameters, mean: mean, square: square, gradients: gradients, count: count, rate: rate,
      correction: correction, decay: decay, beta1: beta1, beta2: beta2, epsilon: epsilon)
  }
}
