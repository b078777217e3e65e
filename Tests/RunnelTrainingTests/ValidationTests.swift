import Runnel
import RunnelTraining
import Testing

/// What a trainer refuses, and what it says.
@Suite struct ValidationTests {
  private static let good = TrainingSequence(
    inputs: [1, 2, 3, 4], length: 2, targets: .classPerFrame([0, 1]))
  private static let network = NetworkSpecification(
    input: .vector(size: 2), layers: [.lstm(hidden: 2), .dense(size: 2)], loss: .softmaxCrossEntropy
  )

  private func expect(
    _ error: TrainingError, _ specification: NetworkSpecification = network,
    settings: TrainingSettings = TrainingSettings(epochs: 1),
    training: [TrainingSequence] = [good], validation: [TrainingSequence]? = nil
  ) {
    #expect(throws: error) {
      try Trainer(
        specification: specification, settings: settings, training: training,
        validation: validation)
    }
  }

  @Test(
    arguments: [
      (TrainingSequence(inputs: [], length: 0, targets: .classAtLast(0)), DataFault.empty, -1),
      (
        TrainingSequence(inputs: [1, 2, 3], length: 2, targets: .classAtLast(0)), .raggedInputs, -1
      ),
      (
        TrainingSequence(inputs: [1, 2, 3, .nan], length: 2, targets: .classAtLast(0)),
        .nonFiniteInput, 1
      ),
      (
        TrainingSequence(inputs: [1, 2, 3, 4], length: 2, targets: .classAtLast(2)),
        .labelOutOfRange, 1
      ),
      (
        TrainingSequence(inputs: [1, 2, 3, 4], length: 2, targets: .classPerFrame([-1, 0])),
        .labelOutOfRange, 0
      ),
      (
        TrainingSequence(inputs: [1, 2, 3, 4], length: 2, targets: .classPerFrame([0])),
        .raggedTargets, -1
      ),
      (
        TrainingSequence(inputs: [1, 2, 3, 4], length: 2, targets: .valuesAtLast([0, 1])),
        .targetKind, -1
      ),
      (
        TrainingSequence(
          inputs: [1, 2, 3, 4], length: 2, targets: .classPerFrame([0, 1]), frameWeights: [1]),
        .raggedWeights, -1
      ),
      (
        TrainingSequence(
          inputs: [1, 2, 3, 4], length: 2, targets: .classPerFrame([0, 1]), frameWeights: [1, -1]),
        .weightOutOfRange, 1
      ),
      (
        TrainingSequence(
          inputs: [1, 2, 3, 4], length: 2, targets: .classPerFrame([0, 1]), frameWeights: [0, 0]),
        .weightOutOfRange, -1
      ),
    ] as [(TrainingSequence, DataFault, Int)])
  func `A wrong sequence is named with its frame`(
    _ sequence: TrainingSequence, fault: DataFault, frame: Int
  ) {
    expect(
      .data(fault, split: .training, sequence: 1, frame: frame),
      training: [Self.good, sequence])
    expect(
      .data(fault, split: .validation, sequence: 0, frame: frame), validation: [sequence])
  }

  @Test func `Values that a loss cannot take are named with their frame`() {
    var specification = Self.network
    specification.loss = .sigmoidCrossEntropy
    let sequence = TrainingSequence(
      inputs: [1, 2, 3, 4], length: 2, targets: .valuesPerFrame([0, 1, 1, 2]))
    expect(
      .data(.targetOutOfRange, split: .training, sequence: 0, frame: 1), specification,
      training: [sequence])
    expect(
      .data(.targetKind, split: .training, sequence: 0, frame: -1), specification,
      training: [Self.good])
  }

  @Test(arguments: [Float(0.5), -1, 4])
  func `An index that is none is named with its frame`(index: Float) {
    let specification = NetworkSpecification(
      input: .index(size: 4), layers: [.embedding(size: 2), .dense(size: 2)],
      loss: .softmaxCrossEntropy)
    let sequence = TrainingSequence(inputs: [0, 3, index], length: 3, targets: .classAtLast(0))
    expect(
      .data(.indexOutOfRange, split: .training, sequence: 0, frame: 2), specification,
      training: [sequence])
  }

  @Test func `No sequences are no training`() {
    expect(.noSequences, training: [])
  }

  @Test(
    arguments: [
      (.vector(size: 2), [], SpecificationFault.noLayers, -1),
      (.vector(size: 2), [.tanh], .noLayers, -1),
      (.vector(size: 0), [.dense(size: 2)], .size, -1),
      (.vector(size: 2), [.tanh, .lstm(hidden: 0)], .size, 1),
      (.vector(size: 2), [.lstm(hidden: .max)], .size, 0),
      (.vector(size: 2), [.lstm(hidden: 1 << 20), .dense(size: 2)], .size, 0),
      (.vector(size: 2), [.dropout(rate: 1), .dense(size: 2)], .rate, 0),
      (.vector(size: 2), [.noise(deviation: -1), .dense(size: 2)], .rate, 0),
      (.vector(size: 2), [.offset(deviation: .infinity), .dense(size: 2)], .rate, 0),
      (.vector(size: 2), [.embedding(size: 2)], .misplacedEmbedding, 0),
      (.index(size: 2), [.embedding(size: 2), .embedding(size: 2)], .misplacedEmbedding, 1),
      (.index(size: 2), [.dense(size: 2)], .indexWithoutEmbedding, 0),
    ] as [(NetworkSpecification.Input, [LayerSpecification], SpecificationFault, Int)])
  func `A wrong layer is named`(
    input: NetworkSpecification.Input, layers: [LayerSpecification], fault: SpecificationFault,
    layer: Int
  ) {
    expect(
      .specification(fault, layer: layer),
      NetworkSpecification(input: input, layers: layers, loss: .softmaxCrossEntropy))
  }

  @Test(
    arguments: [
      (TrainingSettings(epochs: 0), SettingFault.epochs),
      (TrainingSettings(epochs: 1, batchSize: 0), .batchSize),
      (TrainingSettings(epochs: 1, window: 0), .window),
      (TrainingSettings(epochs: 1, optimizer: .sgd(momentum: 1)), .optimizer),
      (TrainingSettings(epochs: 1, schedule: .constant(rate: .nan)), .schedule),
      (TrainingSettings(epochs: 1, clipNorm: 0), .clipNorm),
      (TrainingSettings(epochs: 1, labelSmoothing: 1), .labelSmoothing),
      (TrainingSettings(epochs: 1, averaging: 1), .averaging),
      (TrainingSettings(epochs: 1, validationFraction: -0.1), .validationFraction),
      (TrainingSettings(epochs: 1, validationFraction: 0.9), .validationFraction),
      (TrainingSettings(epochs: 1, patience: 2), .patience),
      (TrainingSettings(epochs: 1, minimumCropFraction: 0), .minimumCropFraction),
      (TrainingSettings(epochs: 1, threads: 0), .threads),
    ])
  func `A wrong setting is named`(settings: TrainingSettings, fault: SettingFault) {
    expect(.setting(fault), settings: settings)
  }

  @Test func `Sequences of one class each are set aside by class, wherever the loss is`() throws {
    let classes = [Int](repeating: 0, count: 40) + [Int](repeating: 1, count: 8)
    let kinds: [(Int) -> Targets] = [
      { .classAtLast($0) }, { .classPerFrame([$0, $0]) },
    ]
    for targets in kinds {
      let sequences = classes.map {
        TrainingSequence(inputs: [0, 1], length: 2, targets: targets($0))
      }
      for seed in 0..<8 {
        let trainer = try Trainer(
          specification: NetworkSpecification(
            input: .vector(size: 1), layers: [.dense(size: 2)], loss: .softmaxCrossEntropy),
          settings: TrainingSettings(epochs: 1, validationFraction: 0.25, seed: UInt64(seed)),
          training: sequences)
        #expect(trainer.validation.count { $0.targets == targets(0) } == 10)
        #expect(trainer.validation.count { $0.targets == targets(1) } == 2)
      }
    }
  }
}
