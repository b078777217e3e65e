import Runnel
import RunnelTraining
import TestSupport
import Testing

/// Networks of several programs over shared states.
@Suite struct `Several programs` {
  /// An encoder and a decoder, or a vector that becomes a state and a decoder.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let first: NetworkSpecification.Program
    let second: [LayerSpecification]
    var testDescription: String { name }

    var specification: NetworkSpecification {
      NetworkSpecification(
        programs: [
          first,
          NetworkSpecification.Program(
            name: "decode", input: .index(size: 4),
            layers: [.embedding(size: 3)] + second + [.dense(size: 4)]),
        ], loss: .softmaxCrossEntropy)
    }
  }

  private static func encoder(_ layers: [LayerSpecification]) -> NetworkSpecification.Program {
    NetworkSpecification.Program(
      name: "encode", input: .index(size: 5), layers: [.embedding(size: 3)] + layers)
  }
  private static func start(_ layers: [LayerSpecification]) -> NetworkSpecification.Program {
    NetworkSpecification.Program(name: "start", input: .vector(size: 3), layers: layers)
  }
  private static let gru = LayerSpecification.gru(hidden: 4, variant: .resetAfter)

  static let cases =
    GradientCase.cells.map {
      Case(name: "encoder of \($0)", first: encoder([$0]), second: [$0])
    } + [
      Case(
        name: "two layers", first: encoder([gru, .lstm(hidden: 3)]),
        second: [gru, .lstm(hidden: 3)]),
      Case(name: "a deeper decoder", first: encoder([gru]), second: [gru, .lstm(hidden: 3)]),
      Case(
        name: "a vector",
        first: start([.dense(size: 4), .tanh, .state(hidden: 4, hasCell: false)]),
        second: [gru]),
      Case(
        name: "a vector with a cell",
        first: start([.dense(size: 6), .tanh, .state(hidden: 3, hasCell: true)]),
        second: [.lstm(hidden: 3)]),
    ]

  /// Sequences whose inputs are in another order of lengths than their targets.
  private static func sequences(_ specification: NetworkSpecification) -> [TrainingSequence] {
    var random = RandomGenerator(seed: 3, purpose: .split)
    return [(2, 4), (4, 1), (3, 3)].map { source, target in
      let context: TrainingSequence.Context
      switch specification.programs[0].input {
      case .index(let size):
        context = TrainingSequence.Context(
          inputs: (0..<source).map { _ in Float(random.index(below: size)) }, length: source)
      case .vector(let size):
        context = TrainingSequence.Context(
          inputs: (0..<size).map { _ in Float(random.normal()) }, length: 1)
      }
      return TrainingSequence(
        context: [context], inputs: (0..<target).map { _ in Float(random.index(below: 4)) },
        length: target, targets: .classPerFrame((0..<target).map { _ in random.index(below: 4) }))
    }
  }

  /// The sum of the losses of sequences, one after the other, and its gradients.
  private func evaluate(
    _ network: Network, _ sequences: [TrainingSequence], _ parameters: [Double]
  ) -> (loss: Double, gradients: [Double]) {
    let unroll = Unroll<Double>(network)
    var loss = 0.0
    var gradients = [Double](repeating: 0, count: parameters.count)
    for sequence in sequences {
      unroll.reset(streams: 1)
      let parts =
        [(sequence.context[0].inputs, sequence.context[0].length)]
        + [(sequence.inputs, sequence.length)]
      for (program, part) in parts.enumerated() {
        unroll.begin(Window(lengths: [part.1]), program: program)
        for (i, value) in part.0.enumerated() {
          unsafe unroll.input(of: program)[i] = Double(value)
        }
        unsafe unroll.forward(parameters: parameters, random: nil, program: program)
      }
      var targets = LossTargets<Double>()
      guard case .classPerFrame(let classes) = sequence.targets else { continue }
      targets.classes = classes
      targets.weights = classes.map { _ in 1 }
      loss += unsafe Loss.softmaxCrossEntropy.evaluate(
        unroll.output, size: network.outputSize, targets: targets, gradient: unroll.outputGradient)
      unroll.clearGradients()
      for program in [1, 0] {
        unsafe unroll.backward(parameters: parameters, wantsInputGradient: false, program: program)
      }
      for i in gradients.indices { unsafe gradients[i] += unroll.gradients[i] }
    }
    return (loss, gradients)
  }

  @Test(arguments: cases)
  func `Gradients through the shared state agree with differences`(_ test: Case) throws {
    let network = try Network(test.specification)
    let sequences = Self.sequences(test.specification)
    var parameters: [Double] = network.initialParameters(seed: 5)
    let gradients = evaluate(network, sequences, parameters).gradients
    let floor = 1e-3 * gradients.map(abs).max()!
    for index in parameters.indices {
      let value = parameters[index]
      func loss(_ offset: Double) -> Double {
        parameters[index] = value + offset
        return evaluate(network, sequences, parameters).loss
      }
      let step = 1e-3
      let expected =
        (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step))) / (12 * step)
      parameters[index] = value
      let size = max(abs(gradients[index]), abs(expected), floor)
      #expect(abs(gradients[index] - expected) / size < 1e-6)
    }
  }

  @Test(arguments: cases)
  func `The first program learns from the loss of the last one`(_ test: Case) throws {
    let network = try Network(test.specification)
    let parameters: [Double] = network.initialParameters(seed: 5)
    let gradients = evaluate(network, Self.sequences(test.specification), parameters).gradients
    let first = network.slices.filter { $0.name.hasPrefix("\(test.first.name).") }
    #expect(!first.isEmpty)
    for slice in first { #expect(gradients[slice.range].contains { abs($0) > 1e-6 }) }
  }

  @Test(arguments: cases)
  func `A minibatch of any lengths moves the parameters by its sequences' own gradients`(
    _ test: Case
  ) throws {
    let network = try Network(test.specification)
    let sequences = Self.sequences(test.specification)
    let start: [Double] = network.initialParameters(seed: 0)
    let frames = Double(sequences.reduce(0) { $0 + $1.length })
    let expected = zip(start, evaluate(network, sequences, start).gradients).map {
      $0 - $1 / frames
    }
    let trained = try Trainer(
      specification: test.specification,
      settings: TrainingSettings(
        epochs: 1, batchSize: 3, optimizer: .sgd(), schedule: .constant(rate: 1), clipNorm: nil),
      training: sequences
    ).run()
    for (value, expected) in zip(trained.parameters, expected) {
      #expect(abs(Double(value) - expected) < 2e-5)
    }
  }

  @Test(arguments: cases)
  func `The runtime's programs give what training gives`(_ test: Case) throws {
    let sequences = Self.sequences(test.specification)
    let trained = try Trainer(
      specification: test.specification, settings: TrainingSettings(epochs: 3),
      training: sequences
    ).run()
    let golden = sequences.map { [$0.context[0].inputs, $0.inputs] }
    let description = trained.description(name: "test", golden: golden)
    #expect(description.programs.map(\.name) == [test.first.name, "decode"])
    #expect(description.golden.runs.count == 6)
    let verification = try Model(description).verify()
    #expect(verification.maxDeviation < 1e-5)
    let frames = golden.reduce(0) { sum, sequence in
      sum + sequence[1].count + (test.first.input.width > 1 ? 1 : sequence[0].count)
    }
    #expect(verification.frames == frames)
  }

  @Test func `A decoder that forgot its encoder would be noticed`() throws {
    let test = Self.cases[2]
    let sequences = Self.sequences(test.specification)
    let trained = try Trainer(
      specification: test.specification, settings: TrainingSettings(epochs: 3),
      training: sequences
    ).run()
    var description = trained.description(
      name: "test", golden: sequences.map { [$0.context[0].inputs, $0.inputs] })
    for index in description.golden.runs.indices {
      description.golden.runs[index].startsFromReset = true
    }
    #expect(try Model(description).verify().maxDeviation > 1e-3)
  }

  // MARK: Training

  /// Three digits, to be written in reverse: 0 ends the target, and digits are 1 to 3.
  private static func reversed(count: Int, seed: UInt64) -> [TrainingSequence] {
    var random = RandomGenerator(seed: seed, purpose: .split)
    return (0..<count).map { _ in
      let digits = (0..<(1 + random.index(below: 3))).map { _ in 1 + random.index(below: 3) }
      let target = Array(digits.reversed())
      return TrainingSequence(
        context: [
          TrainingSequence.Context(inputs: digits.map { Float($0) }, length: digits.count)
        ],
        inputs: ([0] + target).map { Float($0) }, length: target.count + 1,
        targets: .classPerFrame(target + [0]))
    }
  }

  private static let reversing = NetworkSpecification(
    programs: [
      NetworkSpecification.Program(
        name: "encode", input: .index(size: 4), layers: [.embedding(size: 8), .lstm(hidden: 24)]),
      NetworkSpecification.Program(
        name: "decode", input: .index(size: 4),
        layers: [.embedding(size: 8), .lstm(hidden: 24), .dense(size: 4)]),
    ], loss: .softmaxCrossEntropy)

  private func accuracy(_ settings: TrainingSettings) throws -> Double {
    let trained = try Trainer(
      specification: Self.reversing, settings: settings,
      training: Self.reversed(count: 300, seed: 1)
    ).run()
    return try trained.evaluate(Self.reversed(count: 100, seed: 2)).metric
  }

  @Test(arguments: [(false, Float(0)), (true, 0), (false, 0.5)])
  func `An encoder and a decoder learn to reverse`(buckets: Bool, sampling: Float) throws {
    let settings = TrainingSettings(
      epochs: 30, schedule: .cosine(rate: 1e-2), buckets: buckets, scheduledSampling: sampling)
    #expect(try accuracy(settings) > 0.97)
    // Without training, one of four is right by chance.
    var still = settings
    (still.epochs, still.schedule) = (1, .constant(rate: 0))
    #expect(try accuracy(still) < 0.6)
  }

  @Test func `Scheduled sampling gives the network its own words`() throws {
    func trained(_ sampling: Float, epochs: Int) throws -> [Float] {
      try Trainer(
        specification: Self.reversing,
        settings: TrainingSettings(epochs: epochs, scheduledSampling: sampling),
        training: Self.reversed(count: 16, seed: 1)
      ).run().parameters
    }
    // In the first minibatch the share is still 0.
    #expect(try trained(1, epochs: 1) == trained(0, epochs: 1))
    #expect(try trained(1, epochs: 3) != trained(0, epochs: 3))
    #expect(try trained(1, epochs: 3) == trained(1, epochs: 3))
  }

  @Test(arguments: [false, true])
  func `Where the network is always right, its own words are the true ones`(
    hasVectors: Bool
  ) throws {
    // After the first minibatch, at this rate, token 1 is the most probable one everywhere.
    let specification = NetworkSpecification(
      input: hasVectors ? .vector(size: 2) : .index(size: 2),
      layers: (hasVectors ? [] : [.embedding(size: 3)]) + [.lstm(hidden: 4), .dense(size: 2)],
      loss: .softmaxCrossEntropy)
    func trained(_ sampling: Float, after token: Int) throws -> [Float] {
      let tokens = [1, 1, 1, token, 1, 1]
      let sequence = TrainingSequence(
        inputs: tokens.flatMap { token in
          hasVectors ? [token == 0 ? 1 : 0, token == 1 ? 1 : 0] : [Float(token)]
        },
        length: tokens.count, targets: .classPerFrame([Int](repeating: 1, count: tokens.count)))
      return try Trainer(
        specification: specification,
        settings: TrainingSettings(
          epochs: 8, schedule: .constant(rate: 0.5), scheduledSampling: sampling),
        training: [sequence]
      ).run().parameters
    }
    #expect(try trained(1, after: 1) == trained(0, after: 1))
    // A frame that is not what the network would have written makes the difference.
    #expect(try trained(1, after: 0) != trained(0, after: 0))
  }

  @Test func `A network that does not write its own frames cannot sample them`() throws {
    #expect(throws: TrainingError.setting(.scheduledSampling)) {
      _ = try Trainer(
        specification: Problem.noisyNetwork(.lstm(hidden: 4)),
        settings: TrainingSettings(epochs: 1, scheduledSampling: 0.5),
        training: Problem.raised(count: 4))
    }
  }

  // MARK: Refusals

  private func fault(_ programs: [NetworkSpecification.Program]) -> TrainingError? {
    #expect(throws: TrainingError.self) {
      _ = try Network(NetworkSpecification(programs: programs, loss: .softmaxCrossEntropy))
    }
  }

  @Test func `Programs that do not fit together are refused`() throws {
    let encode = Self.encoder([Self.gru])
    #expect(fault([]) == .specification(.programs, layer: -1))
    #expect(fault([encode, encode]) == .specification(.programs, layer: -1))
    var decode = encode
    decode.name = "decode"
    decode.layers = [.embedding(size: 3), .gru(hidden: 5, variant: .resetAfter)]
    #expect(fault([encode, decode]) == .specification(.sharedState, layer: 3))
    decode.layers = [.embedding(size: 3), .lstm(hidden: 4)]
    #expect(fault([encode, decode]) == .specification(.sharedState, layer: 3))
    let start = Self.start([.dense(size: 5), .state(hidden: 4, hasCell: false)])
    #expect(fault([start, encode]) == .specification(.stateInput, layer: 1))
  }

  @Test func `A sequence without frames for each program is refused`() throws {
    var sequences = Self.reversed(count: 2, seed: 1)
    sequences[1].context = []
    #expect(
      throws: TrainingError.data(.context, split: .training, sequence: 1, frame: -1)
    ) {
      _ = try Trainer(
        specification: Self.reversing, settings: TrainingSettings(epochs: 1), training: sequences)
    }
  }
}
