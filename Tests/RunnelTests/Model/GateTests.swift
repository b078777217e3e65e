import Glibc
import Runnel
import TestSupport
import Testing

/// tanh and sigmoid as the gates of cells compute them, joined with the divisions of other gates.
///
/// Each cell has 16 units, one for each element of a frame, whose matrices are diagonal: they let the
/// frame through to one gate. The other gates are saturated by their biases, so that the hidden state
/// is a known function of the frame.
@Suite struct GateTests {
  static let size = 16

  /// A cell of which one gate sees the frame.
  struct Subject: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let cell: Cell
    /// What of the frame each gate sees.
    let input: [Float]
    /// The gates' biases.
    let bias: [Float]
    /// What of the hidden state the last gate sees, and a reset-after GRU's own bias for it.
    var recurrent: Float = 0
    var candidateBias: Float = 0
    /// What every element of the hidden state, and of an LSTM's cell state, starts from.
    var initial: [Float] = [0, 0]
    /// The hidden state after one step.
    let expected: @Sendable (Double) -> Double
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  static let subjects: [Subject] = [
    Subject(testDescription: "RNN", cell: .rnnTanh, input: [1], bias: [0]) { tanh($0) },
    Subject(
      testDescription: "LSTM's i", cell: .lstm, input: [1, 0, 0, 0], bias: [0, -100, 100, 100]
    ) { tanh(sigmoid($0)) },
    Subject(
      testDescription: "LSTM's f", cell: .lstm, input: [0, 1, 0, 0], bias: [-100, 0, 100, 100],
      initial: [0, 1]
    ) { tanh(sigmoid($0)) },
    Subject(
      testDescription: "LSTM's g", cell: .lstm, input: [0, 0, 1, 0], bias: [100, -100, 0, 100]
    ) { tanh(tanh($0)) },
    Subject(
      testDescription: "LSTM's o", cell: .lstm, input: [0, 0, 0, 1], bias: [100, -100, 100, 0]
    ) { sigmoid($0) * tanh(1) },
    Subject(
      testDescription: "GRU's r, reset after", cell: .gruResetAfter, input: [1, 0, 0],
      bias: [0, -100, 0], candidateBias: 1
    ) { tanh(sigmoid($0)) },
    Subject(
      testDescription: "GRU's z, reset after", cell: .gruResetAfter, input: [0, 1, 0],
      bias: [100, 0, 100]
    ) { sigmoid(-$0) },
    Subject(
      testDescription: "GRU's n, reset after", cell: .gruResetAfter, input: [0, 0, 1],
      bias: [100, -100, 0]
    ) { tanh($0) },
    Subject(
      testDescription: "GRU's r, reset before", cell: .gruResetBefore, input: [1, 0, 0],
      bias: [0, -100, 0], recurrent: 1, initial: [1, 0]
    ) { tanh(sigmoid($0)) },
    Subject(
      testDescription: "GRU's z, reset before", cell: .gruResetBefore, input: [0, 1, 0],
      bias: [100, 0, -100], initial: [1, 0]
    ) { 2 * sigmoid($0) - 1 },
    Subject(
      testDescription: "GRU's n, reset before", cell: .gruResetBefore, input: [0, 0, 1],
      bias: [100, -100, 0]
    ) { tanh($0) },
  ]

  @Test(arguments: subjects, InstructionLevel.available)
  func `a gate is as accurate as its class says`(
    subject: Subject, level: InstructionLevel
  ) throws {
    // Two functions and a product at most, each with its own error.
    for (accuracy, bound) in [(ModelOperation.Accuracy.exact, 3.5e-7), (.fast, 1.5e-4)] {
      let description = model(subject).settingAccuracy(accuracy)
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      var largest = 0.0
      for frame in Self.frames {
        session.reset()
        let state = try session.step(frame)
        for (x, h) in zip(frame, state) {
          largest = max(largest, abs(Double(h) - subject.expected(Double(x))))
        }
      }
      #expect(largest <= bound, "\(accuracy)")
      #expect(accuracy == .exact || largest > 1e-5, "the fast class is the exact one")
    }
  }

  /// Every 4,999th number from 2^-30 to 32, with both signs, and what lies beyond.
  static let frames: [[Float]] = {
    var values: [Float] = [
      0, -0.0, 0x1p-149, 0x1p-61, -0x1p-60, 33, -40, 80, -88, 89, 104, -1e4, 1e30, -1e38,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
    ]
    for bits in stride(from: Float(0x1p-30).bitPattern, to: Float(32).bitPattern, by: 4999) {
      values += [Float(bitPattern: bits), -Float(bitPattern: bits)]
    }
    return stride(from: 0, to: values.count - size + 1, by: size).map {
      Array(values[$0..<$0 + size])
    }
  }()

  private func model(_ subject: Subject) -> ModelDescription {
    let size = Self.size
    var description = RandomModels.stack(subject.cell, inputSize: size, hiddenSize: size, seed: 1)
    let gates = subject.bias.count
    var input = [Float](repeating: 0, count: gates * size * size)
    var recurrent = input
    for gate in 0..<gates {
      for unit in 0..<size {
        let place = (gate * size + unit) * size + unit
        input[place] = subject.input[gate]
        if gate == gates - 1 { recurrent[place] = subject.recurrent }
      }
    }
    description.tensors[0].storage = .float32(input)
    description.tensors[1].storage = .float32(recurrent)
    description.tensors[2].storage = .float32(
      subject.bias.flatMap { [Float](repeating: $0, count: size) })
    if subject.cell == .gruResetAfter {
      description.tensors[3].storage = .float32(
        .init(repeating: subject.candidateBias, count: size))
    }
    for (state, value) in zip(description.states.indices, subject.initial) {
      description.states[state].initial = description.tensors.count
      description.tensors.append(
        TensorDescription(
          name: "initial\(state)", shape: [size], values: .init(repeating: value, count: size)))
    }
    return description
  }
}
