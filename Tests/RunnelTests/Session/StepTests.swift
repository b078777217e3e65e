import Runnel
import Testing

/// Models small enough to work out by hand.
enum SmallModels {
  /// A vanilla RNN of one unit: `h' = f(w x + r h + b)`, the prediction is h'.
  static func rnn(
    _ activation: ModelOperation.RNNActivation, inputWeight: Float, recurrentWeight: Float,
    bias: Float = 0, initial: Float? = nil
  ) -> ModelDescription {
    var tensors = [
      TensorDescription(name: "w", shape: [1, 1], values: [inputWeight]),
      TensorDescription(name: "r", shape: [1, 1], values: [recurrentWeight]),
      TensorDescription(name: "b", shape: [1], values: [bias]),
    ]
    if let initial {
      tensors.append(TensorDescription(name: "initial", shape: [1], values: [initial]))
    }
    return ModelDescription(
      states: [StateDescription(name: "h", size: 1, initial: initial == nil ? nil : 3)],
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: 1)],
          operations: [
            .rnn(
              activation, input: 0, inputWeights: 0, recurrentWeights: 1, bias: 2, hidden: 0)
          ],
          outputs: [OutputPort(name: "h", slot: 1)])
      ],
      tensors: tensors)
  }

  /// An integrator, `h' = max(x + h, 0)`.
  static var integrator: ModelDescription {
    rnn(.relu, inputWeight: 1, recurrentWeight: 1)
  }
}

extension Session {
  /// A step with arrays, for tests.
  mutating func step(_ frame: [Float], program: Int = 0) throws(StepError) -> [Float] {
    var prediction = [Float](repeating: .nan, count: model.programs[program].predictionSize)
    var span = prediction.mutableSpan
    try step(program: program, frame.span, into: &span)
    return prediction
  }
}

@Suite struct StepTests {
  @Test(arguments: InstructionLevel.available)
  func `a stream carries its state from frame to frame`(level: InstructionLevel) throws {
    var session = Session(
      try Model(SmallModels.integrator, options: ModelOptions(level: level)))
    #expect(try session.step([1]) == [1])
    #expect(try session.step([2]) == [3])
    #expect(try session.step([-1]) == [2])
  }

  @Test func `a reset starts the stream again`() throws {
    var session = Session(try Model(SmallModels.integrator))
    #expect(try session.step([5]) == [5])
    session.reset()
    #expect(try session.step([1]) == [1])
  }

  @Test func `a state starts from its initial tensor, also after a reset`() throws {
    let model = try Model(
      SmallModels.rnn(.relu, inputWeight: 1, recurrentWeight: 1, initial: 10))
    var session = Session(model)
    #expect(try session.step([1]) == [11])
    #expect(try session.step([1]) == [12])
    session.reset()
    #expect(try session.step([1]) == [11])
  }

  @Test func `sessions of one model do not share their state`() throws {
    let model = try Model(SmallModels.integrator)
    var a = Session(model)
    var b = Session(model)
    #expect(try a.step([1]) == [1])
    #expect(try b.step([5]) == [5])
    #expect(try a.step([1]) == [2])
    #expect(try b.step([5]) == [10])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, .signalingNaN], [0, 1, 15, 16, 36])
  func `a number that is not finite is refused, where it is, and changes nothing`(
    bad: Float, index: Int
  ) throws {
    let size = 37
    let model = try Model(
      ModelDescription(
        states: [StateDescription(name: "h", size: 1)],
        programs: [
          ProgramDescription(
            inputs: [InputPort(name: "x", size: size)],
            operations: [
              .rnn(.relu, input: 0, inputWeights: 0, recurrentWeights: 1, bias: 2, hidden: 0)
            ],
            outputs: [OutputPort(name: "h", slot: 1)])
        ],
        tensors: [
          TensorDescription(name: "w", shape: [1, size], values: .init(repeating: 1, count: size)),
          TensorDescription(name: "r", shape: [1, 1], values: [1]),
          TensorDescription(name: "b", shape: [1], values: [0]),
        ]))
    let good = [Float](repeating: 1, count: size)
    for level in InstructionLevel.available {
      var session = Session(
        try Model(model.description, options: ModelOptions(level: level)))
      #expect(try session.step(good) == [37])
      var frame = good
      frame[index] = bad
      var prediction: [Float] = [-1]
      #expect(throws: StepError.nonFiniteInput(index: index)) {
        var span = prediction.mutableSpan
        try session.step(frame.span, into: &span)
      }
      #expect(prediction == [-1], "the prediction was written")
      #expect(try session.step(good) == [74], "the state was changed")
    }
  }

  @Test(arguments: InstructionLevel.available)
  func `numbers that grow beyond a Float are refused, and the state is what it was`(
    level: InstructionLevel
  ) throws {
    let model = try Model(
      SmallModels.rnn(.relu, inputWeight: 1, recurrentWeight: 2),
      options: ModelOptions(level: level))
    var session = Session(model)
    let large = Float.greatestFiniteMagnitude / 4
    #expect(try session.step([large]) == [large])
    #expect(throws: StepError.nonFiniteResult) {
      _ = try session.step([Float.greatestFiniteMagnitude])
    }
    #expect(try session.step([0]) == [2 * large], "the state was changed")
  }

  /// Sizes that fill a vector, and that leave some of it over.
  @Test(arguments: InstructionLevel.available, [1, 15, 16, 17])
  func `a refused step of one program leaves the other programs able to step`(
    level: InstructionLevel, size: Int
  ) throws {
    // "square" overflows into its states, "pass" does not touch them.
    func zeros(_ shape: [Int]) -> TensorDescription {
      TensorDescription(
        name: "0", shape: shape, values: .init(repeating: 0, count: shape.reduce(1, *)))
    }
    let one = TensorDescription(
      name: "w", shape: [size, 1], values: .init(repeating: 1, count: size))
    let description = ModelDescription(
      states: [StateDescription(name: "h", size: size)],
      programs: [
        ProgramDescription(
          name: "square", inputs: [InputPort(name: "x", size: 1)],
          operations: [
            .multiply(0, 0),
            .rnn(.relu, input: 1, inputWeights: 0, recurrentWeights: 1, bias: 2, hidden: 0),
          ],
          outputs: [OutputPort(name: "h", slot: 2)]),
        ProgramDescription(
          name: "pass", inputs: [InputPort(name: "x", size: 1)], operations: [],
          outputs: [OutputPort(name: "x", slot: 0)]),
      ],
      tensors: [one, zeros([size, size]), zeros([size])])
    var session = Session(try Model(description, options: ModelOptions(level: level)))
    #expect(try session.step([2]) == .init(repeating: 4, count: size))
    for _ in 0..<3 {
      #expect(throws: StepError.nonFiniteResult) { _ = try session.step([1e30]) }
      #expect(try session.step([5], program: 1) == [5])
    }
    #expect(try session.step([3]) == .init(repeating: 9, count: size))
  }

  @Test(arguments: InstructionLevel.available)
  func `what fills up the last vector of a state decides nothing`(level: InstructionLevel) throws {
    // An infinite input of an RNN whose weights are 1 gives tanh 1, at every size.
    for size in [1, 15, 16, 17] {
      let description = ModelDescription(
        states: [StateDescription(name: "h", size: size)],
        programs: [
          ProgramDescription(
            inputs: [InputPort(name: "x", size: 1)],
            operations: [
              .multiply(0, 0),
              .rnn(.tanh, input: 1, inputWeights: 0, recurrentWeights: 1, bias: 2, hidden: 0),
            ],
            outputs: [OutputPort(name: "h", slot: 2)])
        ],
        tensors: [
          TensorDescription(name: "w", shape: [size, 1], values: .init(repeating: 1, count: size)),
          TensorDescription(
            name: "r", shape: [size, size], values: .init(repeating: 0, count: size * size)),
          TensorDescription(name: "b", shape: [size], values: .init(repeating: 0, count: size)),
        ])
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      #expect(try session.step([1e30]) == .init(repeating: 1, count: size))
      #expect(try session.step([0]) == .init(repeating: 0, count: size))
    }
  }

  @Test func `frames and predictions of another size are refused`() throws {
    var session = Session(try Model(SmallModels.integrator))
    #expect(throws: StepError.frameSize(expected: 1, actual: 2)) {
      _ = try session.step([1, 1])
    }
    #expect(throws: StepError.frameSize(expected: 1, actual: 0)) { _ = try session.step([]) }
    var prediction: [Float] = [0, 0]
    #expect(throws: StepError.predictionSize(expected: 1, actual: 2)) {
      var span = prediction.mutableSpan
      try session.step([1].span, into: &span)
    }
    #expect(throws: StepError.noSuchProgram) {
      var span = prediction.mutableSpan
      try session.step(program: 1, [1].span, into: &span)
    }
    #expect(try session.step([1]) == [1])
  }

  @Test(arguments: [-1, 0.5, 3, 1e9, -.greatestFiniteMagnitude] as [Float])
  func `an index that is not one of the embedding's rows is refused`(index: Float) throws {
    let model = try Model(
      ModelDescription(
        programs: [
          ProgramDescription(
            inputs: [InputPort(name: "token", kind: .index, size: 3)],
            operations: [.embedding(index: 0, table: 0)],
            outputs: [OutputPort(name: "row", slot: 1)])
        ],
        tensors: [TensorDescription(name: "table", shape: [3, 2], values: [0, 1, 10, 11, 20, 21])]))
    for level in InstructionLevel.available {
      var session = Session(
        try Model(model.description, options: ModelOptions(level: level)))
      #expect(try session.step([2]) == [20, 21])
      #expect(try session.step([0]) == [0, 1])
      #expect(throws: StepError.indexOutOfRange(index: 0)) { _ = try session.step([index]) }
      #expect(throws: StepError.nonFiniteInput(index: 0)) { _ = try session.step([.nan]) }
    }
  }

  @Test func `programs share the state, and one that does not write a state keeps it`() throws {
    // "add" integrates x into h; "read" gives out what an integrator k of its own makes of h.
    var description = SmallModels.integrator
    description.states.append(StateDescription(name: "k", size: 1))
    description.programs[0].name = "add"
    description.programs.append(
      ProgramDescription(
        name: "other", inputs: [InputPort(name: "x", size: 1)],
        operations: [
          .rnn(.relu, input: 0, inputWeights: 0, recurrentWeights: 1, bias: 2, hidden: 1)
        ],
        outputs: [OutputPort(name: "k", slot: 1)]))
    var session = Session(try Model(description))
    #expect(try session.step([1]) == [1])
    #expect(try session.step([100], program: 1) == [100])
    #expect(try session.step([100], program: 1) == [200])
    #expect(try session.step([100], program: 1) == [300])
    #expect(try session.step([1]) == [2])
    #expect(try session.step([100], program: 1) == [400])
  }
}

extension InstructionLevel {
  /// The levels that this CPU can run.
  static var available: [InstructionLevel] { allCases.filter { $0 <= .best } }
}
