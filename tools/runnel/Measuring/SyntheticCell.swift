import Runnel
import RunnelTraining

/// One cell with random weights, whose hidden state is the prediction.
struct SyntheticCell {
  let cell: ModelOperation.Code
  let input: Int
  let hidden: Int

  /// The names of the cells on the command line.
  static let names: KeyValuePairs<String, ModelOperation.Code> = [
    "lstm": .lstm, "gru": .gruResetAfter, "gru-reset-before": .gruResetBefore, "rnn": .rnnTanh,
  ]

  /// The cell as a model; its weights are uniform in ±1/√hidden, as PyTorch starts.
  func description(using generator: inout RandomGenerator) -> ModelDescription {
    let gates =
      switch cell {
      case .lstm: 4
      case .gruResetAfter, .gruResetBefore: 3
      default: 1
      }
    let bound = 1 / Float(hidden).squareRoot()
    func tensor(_ name: String, _ shape: [Int]) -> TensorDescription {
      let count = shape.reduce(1, *)
      return TensorDescription(
        name: name, shape: shape,
        values: (0..<count).map { _ in Float.random(in: -bound...bound, using: &generator) })
    }
    var tensors = [
      tensor("inputWeights", [gates * hidden, input]),
      tensor("recurrentWeights", [gates * hidden, hidden]),
      tensor("bias", [gates * hidden]),
    ]
    if cell == .gruResetAfter { tensors.append(tensor("candidateBias", [hidden])) }
    let names = cell == .lstm ? ["hidden", "cell"] : ["hidden"]
    return ModelDescription(
      states: names.map { StateDescription(name: $0, size: hidden) },
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "frame", size: input)],
          operations: [
            ModelOperation(
              cell, operands: [0], tensors: Array(tensors.indices), states: Array(names.indices))
          ],
          outputs: [OutputPort(name: "hidden", slot: 1)])
      ],
      tensors: tensors)
  }
}
