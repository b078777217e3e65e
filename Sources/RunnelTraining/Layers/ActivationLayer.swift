/// A function of each element: `y = f(x)`, `dx = dy f'(y)`.
struct ActivationLayer: Layer {
  enum Function: String, Sendable { case tanh, sigmoid, relu }

  let size: Int
  let function: Function

  var kind: String { function.rawValue }
  var inputSize: Int { size }
  var outputSize: Int { size }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let count = unsafe pass.window.rows &* size
    let output = unsafe pass.output
    unsafe output.update(from: pass.input, count: count)
    switch function {
    case .tanh: unsafe Scalar.applyTanh(output, count: count)
    case .sigmoid: unsafe Scalar.applySigmoid(output, count: count)
    case .relu: for i in 0..<count { unsafe output[i] = max(output[i], 0) }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    guard let gradient = unsafe pass.inputGradient else { return }
    let count = unsafe pass.window.rows &* size
    let output = unsafe pass.output
    unsafe gradient.update(from: pass.outputGradient, count: count)
    switch function {
    case .tanh: for i in 0..<count { unsafe gradient[i] *= 1 - output[i] * output[i] }
    case .sigmoid: for i in 0..<count { unsafe gradient[i] *= output[i] * (1 - output[i]) }
    case .relu: for i in 0..<count where unsafe output[i] <= 0 { unsafe gradient[i] = 0 }
    }
  }
}
