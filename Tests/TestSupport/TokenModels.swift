package import Runnel

/// Makers of models whose predictions are probabilities of the next token.
package enum TokenModels {
  /// A recurrent layer that takes tokens, by a table or as vectors with a 1 in their place.
  ///
  /// - Parameter sharpness: The bound of the last layer's weights: the larger, the less even are the
  ///   probabilities.
  package static func recurrent(
    _ cell: Cell = .gruResetAfter, tokens: Int, hiddenSize: Int = 8, isIndex: Bool = true,
    sharpness: Float = 3, seed: UInt64
  ) -> ModelDescription {
    var maker = ModelMaker(seed: seed)
    var slot = maker.input("token", kind: isIndex ? .index : .vector, size: tokens)
    if isIndex {
      let table = maker.tensor("embedding.table", [tokens, tokens], bound: 1)
      slot = maker.add(.embedding(index: slot, table: table))
    }
    slot = maker.layer(
      cell, "layer", input: slot, inputSize: tokens, hiddenSize: hiddenSize, bound: 1)
    let scores = maker.dense(
      "scores", input: slot, inputSize: hiddenSize, outputSize: tokens, bound: sharpness)
    let probabilities = maker.add(.softmax(scores))
    return maker.finish(outputs: [OutputPort(name: "next", slot: probabilities)])
  }

  /// A GRU that takes tokens, behind a program, `encode`, that sets its state from two numbers.
  package static func encoderDecoder(tokens: Int, seed: UInt64) -> ModelDescription {
    var model = recurrent(tokens: tokens, seed: seed)
    model.programs[0].name = "decode"
    var random = SplitMix64(seed: seed &+ 1)
    let (size, first) = (model.states[0].size, model.tensors.count)
    for (name, shape) in [("encoder.weights", [size, 2]), ("encoder.bias", [size])] {
      let values = (0..<shape.reduce(1, *)).map { _ in random.uniform(2) }
      model.tensors.append(TensorDescription(name: name, shape: shape, values: values))
    }
    let encoder = ProgramDescription(
      name: "encode", inputs: [InputPort(name: "image", size: 2)],
      operations: [
        .dense(input: 0, weights: first, bias: first + 1), .tanh(1), .store(2, state: 0),
      ], outputs: [OutputPort(name: "state", slot: 3)])
    model.programs.insert(encoder, at: 0)
    return model
  }

  /// A model without a state that gives these probabilities after each token: `rows[token]`.
  ///
  /// - Parameter rows: The logarithms of the probabilities, or of numbers in proportion.
  package static func table(_ rows: [[Float]]) -> ModelDescription {
    var maker = ModelMaker(seed: 0)
    let token = maker.input("token", kind: .index, size: rows.count)
    let table = maker.tensor("table", values: rows.flatMap { $0 })
    maker.model.tensors[table].shape = [rows.count, rows.count]
    let scores = maker.add(.embedding(index: token, table: table))
    let probabilities = maker.add(.softmax(scores))
    return maker.finish(outputs: [OutputPort(name: "next", slot: probabilities)])
  }

  /// Probabilities that depend on a sum of what the tokens add, which overflows after some 3s.
  package static var overflowing: ModelDescription {
    var maker = ModelMaker(seed: 0)
    let token = maker.input("token", kind: .index, size: 4)
    let table = maker.tensor("table", values: [0, 1, 2, 2e38])
    maker.model.tensors[table].shape = [4, 1]
    let sum = maker.state("sum", size: 1)
    let added = maker.add(.embedding(index: token, table: table))
    let total = maker.add(.store(maker.add(.add(maker.add(.recall(sum)), added)), state: sum))
    let spread = maker.add(
      .dense(
        input: maker.add(.tanh(total)),
        weights: maker.tensor("weights", values: [1, 3, 0.5, -1]),
        bias: maker.tensor("bias", values: [0, 0, 0, 0])))
    maker.model.tensors[1].shape = [4, 1]
    let probabilities = maker.add(.softmax(spread))
    return maker.finish(outputs: [OutputPort(name: "next", slot: probabilities)])
  }
}
