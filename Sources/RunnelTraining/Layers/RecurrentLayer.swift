/// A layer that adds a product with its input to one with its state before.
///
/// Parameters: `W` `[gates H, I]`, `U` `[gates H, H]`, `b` `[gates H]`, started as PyTorch starts them.
protocol RecurrentLayer: Layer {
  /// How many times the output's size these sums have.
  var gateCount: Int { get }
  /// The room for the packed recurrent weights of either pass.
  func packedCount<Scalar: TrainingScalar>(_: Scalar.Type) -> Int
}

extension RecurrentLayer {
  /// PyTorch's bound of what parameters begin with.
  var bound: Double { 1 / Double(outputSize).squareRoot() }
  /// `W` and `U`.
  var weightParameters: [ParameterShape] {
    let rows = gateCount * outputSize
    return [
      ParameterShape(
        name: "inputWeights", shape: [rows, inputSize], start: .uniform(bound: bound)),
      ParameterShape(
        name: "recurrentWeights", shape: [rows, outputSize], start: .uniform(bound: bound)),
    ]
  }
  var parameters: [ParameterShape] {
    let rows = gateCount * outputSize
    return weightParameters
      + [ParameterShape(name: "bias", shape: [rows], start: .uniform(bound: bound, doubled: rows))]
  }
  var recurrentStart: Int { gateCount * outputSize * inputSize }
  var biasStart: Int { recurrentStart + gateCount * outputSize * outputSize }

  /// The product with the input.
  var projection: Projection {
    Projection(
      inputSize: inputSize, outputSize: gateCount * outputSize, biasStart: biasStart)
  }
  var lookupWidth: Int { gateCount * outputSize }

  func packedCount<Scalar: TrainingScalar>(_: Scalar.Type) -> Int {
    max(
      Scalar.packedCount(depth: outputSize, columns: gateCount * outputSize),
      Scalar.packedCount(depth: gateCount * outputSize, columns: outputSize))
  }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    packedCount(Scalar.self)
      + max(
        projection.scratchCount(Scalar.self, rows: window.rows),
        Scalar.scratchCount(rows: gateCount * outputSize, columns: outputSize, depth: window.rows))
  }
}
