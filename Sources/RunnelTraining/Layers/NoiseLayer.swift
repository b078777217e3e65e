/// Gaussian noise while the network is being trained: `y = x + deviation ε`, `dx = dy`.
struct NoiseLayer: Layer {
  let size: Int
  let deviation: Float

  var kind: String { "noise" }
  var inputSize: Int { size }
  var outputSize: Int { size }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let count = unsafe pass.window.rows &* size
    unsafe pass.output.update(from: pass.input, count: count)
    guard let random = unsafe pass.random else { return }
    for i in 0..<count {
      unsafe pass.output[i] += Scalar(random.pointee.normal()) * Scalar(deviation)
    }
  }

  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    guard let gradient = unsafe pass.inputGradient else { return }
    unsafe gradient.update(from: pass.outputGradient, count: pass.window.rows &* size)
  }
}
