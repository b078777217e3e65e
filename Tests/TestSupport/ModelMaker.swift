package import Runnel

/// Puts a model of one program together, with random weights.
package struct ModelMaker {
  package var model = ModelDescription()
  private var program = ProgramDescription(inputs: [], operations: [], outputs: [])
  private var random: SplitMix64

  package init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// Adds an input, of which all must come before the first operation; gives its slot.
  package mutating func input(
    _ name: String, kind: InputPort.Kind = .vector, size: Int
  ) -> Int {
    precondition(program.operations.isEmpty)
    program.inputs.append(InputPort(name: name, kind: kind, size: size))
    return program.inputs.count - 1
  }

  /// Adds a tensor with numbers in ±`bound`.
  package mutating func tensor(_ name: String, _ shape: [Int], bound: Float) -> Int {
    let values = (0..<shape.reduce(1, *)).map { _ in random.uniform(bound) }
    model.tensors.append(TensorDescription(name: name, shape: shape, values: values))
    return model.tensors.count - 1
  }

  /// Adds a vector of these numbers.
  package mutating func tensor(_ name: String, values: [Float]) -> Int {
    model.tensors.append(TensorDescription(name: name, shape: [values.count], values: values))
    return model.tensors.count - 1
  }

  /// Adds a state that starts from zeros.
  package mutating func state(_ name: String, size: Int) -> Int {
    model.states.append(StateDescription(name: name, size: size))
    return model.states.count - 1
  }

  /// Adds an operation; gives its slot.
  package mutating func add(_ operation: ModelOperation) -> Int {
    program.operations.append(operation)
    return program.inputs.count + program.operations.count - 1
  }

  /// Adds a dense layer; gives its slot.
  package mutating func dense(
    _ name: String, input: Int, inputSize: Int, outputSize: Int, bound: Float
  ) -> Int {
    add(
      .dense(
        input: input, weights: tensor("\(name).weights", [outputSize, inputSize], bound: bound),
        bias: tensor("\(name).bias", [outputSize], bound: bound)))
  }

  /// Adds a recurrent layer with its states; gives its slot.
  package mutating func layer(
    _ cell: Cell, _ name: String, input: Int, inputSize: Int, hiddenSize: Int, bound: Float
  ) -> Int {
    let rows = cell.gateCount * hiddenSize
    let inputWeights = tensor("\(name).inputWeights", [rows, inputSize], bound: bound)
    let recurrentWeights = tensor("\(name).recurrentWeights", [rows, hiddenSize], bound: bound)
    let bias = tensor("\(name).bias", [rows], bound: bound)
    let hidden = state("\(name).hidden", size: hiddenSize)
    switch cell {
    case .rnnTanh, .rnnReLU:
      return add(
        .rnn(
          cell == .rnnTanh ? .tanh : .relu, input: input, inputWeights: inputWeights,
          recurrentWeights: recurrentWeights, bias: bias, hidden: hidden))
    case .lstm:
      return add(
        .lstm(
          input: input, inputWeights: inputWeights, recurrentWeights: recurrentWeights,
          bias: bias, hidden: hidden, cell: state("\(name).cell", size: hiddenSize)))
    case .gruResetAfter:
      return add(
        .gruResetAfter(
          input: input, inputWeights: inputWeights, recurrentWeights: recurrentWeights,
          bias: bias, candidateBias: tensor("\(name).candidateBias", [hiddenSize], bound: bound),
          hidden: hidden))
    case .gruResetBefore:
      return add(
        .gruResetBefore(
          input: input, inputWeights: inputWeights, recurrentWeights: recurrentWeights,
          bias: bias, hidden: hidden))
    }
  }

  /// The model, whose program is named `step`.
  package consuming func finish(outputs: [OutputPort]) -> ModelDescription {
    program.outputs = outputs
    model.programs = [program]
    return model
  }
}

extension Cell {
  /// How many rows of weights each hidden unit has.
  fileprivate var gateCount: Int {
    switch self {
    case .rnnTanh, .rnnReLU: 1
    case .lstm: 4
    case .gruResetAfter, .gruResetBefore: 3
    }
  }
}
