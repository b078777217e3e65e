/// An embedding: the row of a table that each input, a whole number below `count`, names.
///
/// Parameters: the table `[count, O]`. Inputs are `[rows, 1]`, and have no gradient.
struct EmbeddingLayer: Layer {
  let count: Int
  let outputSize: Int

  var kind: String { "embedding" }
  var inputSize: Int { 1 }
  var parameters: [ParameterShape] {
    [ParameterShape(name: "table", shape: [count, outputSize], start: .normal)]
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    for row in unsafe 0..<pass.window.rows {
      let index = unsafe Int(pass.input[row])
      unsafe (pass.output + row &* outputSize).update(
        from: pass.parameters + index &* outputSize, count: outputSize)
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    for row in unsafe 0..<pass.window.rows {
      let index = unsafe Int(pass.input[row])
      let gradient = unsafe pass.gradients + index &* outputSize
      let outputGradient = unsafe pass.outputGradient + row &* outputSize
      for j in 0..<outputSize { unsafe gradient[j] += outputGradient[j] }
    }
    if let inputGradient = unsafe pass.inputGradient {
      unsafe inputGradient.update(repeating: 0, count: pass.window.rows)
    }
  }
}
