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
  private var projection: Projection {
    Projection(inputSize: inputSize, outputSize: outputSize, biasStart: biasStart)
  }
  private var biasStart: Int { outputSize * inputSize }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    projection.scratchCount(Scalar.self, rows: window.rows)
  }

  var lookupWidth: Int { outputSize }

  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    unsafe projection.prepare(pass, scratch: pass.scratch)
    unsafe projection.forward(
      0..<pass.window.rows, pass, output: pass.output, scratch: pass.scratch)
  }

  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    unsafe projection.prepareBackward(pass)
    unsafe projection.backward(
      0..<pass.window.rows, pass, outputGradient: pass.outputGradient, scratch: pass.scratch)
    unsafe projection.finishBackward(pass, scratch: pass.scratch)
  }
}
