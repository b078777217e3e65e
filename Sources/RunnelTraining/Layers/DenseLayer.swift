/// A dense layer, `y = W x + b`, at every row.
///
/// Parameters: `W` `[O, I]`, `b` `[O]`.
struct DenseLayer: Layer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "dense" }
  var parameters: [ParameterShape] {
    let bound = 1 / Double(inputSize).squareRoot()
    return [
      ParameterShape(
        name: "weights", shape: [outputSize, inputSize], start: .uniform(bound: bound)),
      ParameterShape(name: "bias", shape: [outputSize], start: .uniform(bound: bound)),
    ]
  }
  private var projection: Projection { Projection(inputSize: inputSize, outputSize: outputSize) }
  private var biasStart: Int { outputSize * inputSize }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    projection.scratchCount(Scalar.self, rows: window.rows)
  }

  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    unsafe projection.forward(
      input: pass.input, output: pass.output, rows: pass.window.rows, weights: pass.parameters,
      bias: pass.parameters + biasStart, scratch: pass.scratch)
  }

  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    unsafe projection.backward(
      input: pass.input, outputGradient: pass.outputGradient, inputGradient: pass.inputGradient,
      rows: pass.window.rows, weights: pass.parameters, weightsGradient: pass.gradients,
      biasGradient: pass.gradients + biasStart, scratch: pass.scratch)
  }
}
