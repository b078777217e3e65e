import Runnel
import RunnelTraining
import Testing

@Suite struct ExportTests {
  /// A network of each kind of layer, hardly trained.
  private static func networks() throws -> [TrainedNetwork] {
    let vector = Problem.cells.map { cell in
      NetworkSpecification(
        input: .vector(size: 3), normalises: true,
        layers: [
          .noise(deviation: 0.1), .offset(deviation: 0.1), .dense(size: 5), .tanh, cell,
          .dropout(rate: 0.2), cell,
          .dense(size: 4), .relu, .dense(size: 3),
        ], loss: .softmaxCrossEntropy)
    }
    let sequences = Problem.raised(count: 12)
    let classifiers = try vector.map {
      try Trainer(
        specification: $0, settings: TrainingSettings(epochs: 2), training: sequences
      ).run()
    }
    let spelling = NetworkSpecification(
      input: .index(size: 4), layers: [.embedding(size: 3), .lstm(hidden: 6), .dense(size: 4)],
      loss: .softmaxCrossEntropy)
    let speller = try Trainer(
      specification: spelling, settings: TrainingSettings(epochs: 2), training: [Problem.hello]
    ).run()
    let others = try [Loss.sigmoidCrossEntropy, .meanSquaredError].map { loss in
      let specification = NetworkSpecification(
        input: .vector(size: 2), layers: [.lstm(hidden: 4), .sigmoid, .dense(size: 1)], loss: loss)
      let sequences = Problem.adding(count: 8, length: 5).map { sequence in
        var sequence = sequence
        sequence.targets = .valuesAtLast([1])
        return sequence
      }
      return try Trainer(
        specification: specification, settings: TrainingSettings(epochs: 2), training: sequences
      ).run()
    }
    return classifiers + [speller] + others
  }

  private static func frames(for network: TrainedNetwork) -> [[Float]] {
    var random = RandomGenerator(seed: 4, purpose: .split)
    switch network.specification.programs[0].input {
    case .vector(let size):
      return [6, 1].map { frames in (0..<(frames * size)).map { _ in Float(random.normal()) } }
    case .index(let size):
      return [7, 2].map { frames in (0..<frames).map { _ in Float(random.index(below: size)) } }
    }
  }

  @Test func `Layers that are for training only leave nothing in the model`() throws {
    for network in try Self.networks() {
      let description = network.description(name: "test")
      let written = description.programs[0].operations.flatMap(\.states)
      #expect(written.sorted() == Array(description.states.indices))
      let used = description.programs[0].operations.flatMap(\.tensors)
      #expect(Set(used).sorted() == Array(description.tensors.indices))
    }
  }

  @Test func `The runtime gives what training gives, for every layer and loss`() throws {
    for network in try Self.networks() {
      let description = network.description(
        name: "test", golden: Self.frames(for: network).map { [$0] })
      let verification = try Model(description).verify()
      #expect(verification.maxDeviation < 1e-5)
      #expect(verification.frames > 0)
    }
  }

  @Test func `A weight that is changed after the export is noticed`() throws {
    let network = try Self.networks()[2]
    var description = network.description(
      name: "test", golden: Self.frames(for: network).map { [$0] })
    let index = description.tensors.firstIndex { $0.name == "lstm0.bias" }!
    let count = description.tensors[index].shape[0]
    description.tensors[index].storage = .float32([Float](repeating: 1, count: count))
    #expect(try Model(description).verify().maxDeviation > 1e-3)
  }

  @Test func `What is only for training is not exported`() throws {
    let network = try Self.networks()[0]
    let codes = network.description(name: "test").programs[0].operations.map(\.code)
    #expect(
      codes == [
        .affine, .dense, .tanh, .rnnTanh, .rnnTanh, .dense, .relu, .dense, .softmax,
      ])
  }

  @Test func `Names, labels and provenance are written`() throws {
    let network = try Self.networks()[0]
    let description = network.description(
      name: "test", labels: ["a", "b", "c"], provenance: ["here"], frameRate: 10,
      inputName: "in", outputName: "out")
    #expect(description.metadata.name == "test")
    #expect(description.metadata.labels == ["a", "b", "c"])
    #expect(description.metadata.provenance == ["here"])
    #expect(description.metadata.frameRate == 10)
    #expect(description.programs[0].inputs[0].name == "in")
    #expect(description.programs[0].outputs[0].name == "out")
  }

  @Test func `Normalised frames have mean 0 and deviation 1, and constants stay finite`() throws {
    var random = RandomGenerator(seed: 4, purpose: .split)
    let inputs = (0..<400).map { $0 % 2 == 0 ? Float(50 + 3 * random.normal()) : 1.1 }
    let sequence = TrainingSequence(inputs: inputs, length: 200, targets: .valuesAtLast([0]))
    let network = try Trainer(
      specification: NetworkSpecification(
        input: .vector(size: 2), normalises: true, layers: [.dense(size: 1)],
        loss: .meanSquaredError),
      settings: TrainingSettings(epochs: 1), training: [sequence]
    ).run()
    let tensors = network.description(name: "test").tensors
    guard case .float32(let scale) = tensors[0].storage,
      case .float32(let shift) = tensors[1].storage
    else {
      Issue.record("not Float")
      return
    }
    let values = stride(from: 0, to: 400, by: 2).map { Double(inputs[$0] * scale[0] + shift[0]) }
    #expect(abs(values.reduce(0, +) / 200) < 1e-4)
    #expect(abs(values.map { $0 * $0 }.reduce(0, +) / 200 - 1) < 1e-4)
    #expect(scale[1] == 1)
    #expect(abs(1.1 + shift[1]) < 1e-6)
  }
}
