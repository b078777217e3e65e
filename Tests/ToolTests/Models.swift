import Runnel

/// Small models, made here, that the tool is tried on.
enum Models {
  /// Numbers that look random and are the same in every run.
  private static func numbers(_ count: Int, scale: Float = 0.5) -> [Float] {
    (0..<count).map { Float(($0 &* 7919 + 13) % 101 - 50) / 50 * scale }
  }

  private static func tensor(_ name: String, _ shape: [Int]) -> TensorDescription {
    TensorDescription(name: name, shape: shape, values: numbers(shape.reduce(1, *)))
  }

  /// Takes frames of three numbers, and says which of the classes `low`, `mid` and `high` they are.
  static func classifier() throws -> ModelDescription {
    var model = ModelDescription(
      states: [StateDescription(name: "gru0.hidden", size: 4)],
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "frame", size: 3)],
          operations: [
            .gruResetAfter(
              input: 0, inputWeights: 0, recurrentWeights: 1, bias: 2, candidateBias: 3, hidden: 0),
            .dense(input: 1, weights: 4, bias: 5), .softmax(2),
          ],
          outputs: [OutputPort(name: "prediction", slot: 3)])
      ],
      tensors: [
        tensor("gru0.inputWeights", [12, 3]), tensor("gru0.recurrentWeights", [12, 4]),
        tensor("gru0.bias", [12]), tensor("gru0.candidateBias", [4]),
        tensor("dense0.weights", [3, 4]), tensor("dense0.bias", [3]),
      ])
    model.metadata.name = "classifier"
    model.metadata.labels = ["low", "mid", "high"]
    model.metadata.entries["features"] = ["a", "b", "c"]
    let frames = numbers(30, scale: 1)
    model.golden = GoldenFrames(
      tolerance: 1e-5, runs: [.init(frames: frames, predictions: try predictions(model, frames))])
    return model
  }

  /// Says which of the letters a, b and c comes next, from the letters so far.
  static func letters(oneHot: Bool) -> ModelDescription {
    var model = ModelDescription(
      states: [StateDescription(name: "rnn0.hidden", size: 3)],
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "frame", kind: oneHot ? .vector : .index, size: 3)],
          operations: [
            oneHot
              ? .affine(input: 0, scale: 5, shift: 6) : .embedding(index: 0, table: 0),
            .rnn(.tanh, input: 1, inputWeights: 1, recurrentWeights: 2, bias: 3, hidden: 0),
            .dense(input: 2, weights: 4, bias: 3), .softmax(3),
          ],
          outputs: [OutputPort(name: "prediction", slot: 4)])
      ],
      tensors: [
        tensor("table", [3, 3]), tensor("in", [3, 3]), tensor("recurrent", [3, 3]),
        tensor("bias", [3]), tensor("out", [3, 3]), tensor("scale", [3]), tensor("shift", [3]),
      ])
    model.metadata.labels = ["a", "b", "c"]
    return model
  }

  /// What the runtime itself gives, frame by frame.
  static func predictions(_ description: ModelDescription, _ frames: [Float]) throws -> [Float] {
    let model = try Model(description)
    var session = Session(model)
    var all: [Float] = []
    for first in stride(from: 0, to: frames.count, by: model.frameSize) {
      var prediction = [Float](repeating: 0, count: model.predictionSize)
      var span = prediction.mutableSpan
      try session.step(frames[first..<first + model.frameSize].span, into: &span)
      all += prediction
    }
    return all
  }
}
