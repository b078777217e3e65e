import Runnel
import TestSupport
import Testing

/// Streams in a group against sessions of their own.
@Suite struct SessionGroupTests {
  /// Every cell, with even and odd numbers of blocks of units, and every operation.
  private static let models =
    Cell.allCases.flatMap { cell in
      [7, 32, 50, 130].map {
        RandomModels.stack(cell, inputSize: 5, hiddenSize: $0, layers: 2, headSize: 70, seed: 1)
      }
    } + [RandomModels.everyOperation(seed: 1)]

  private struct Form: Sendable {
    let type: WeightType
    let bits: Int
    let accuracy: ModelOperation.Accuracy
  }

  private static let forms =
    [
      Form(type: .float32, bits: 16, accuracy: .exact),
      Form(type: .float16, bits: 16, accuracy: .exact),
      Form(type: .bfloat16, bits: 16, accuracy: .fast),
      Form(type: .int8, bits: 16, accuracy: .exact), Form(type: .int8, bits: 8, accuracy: .fast),
    ]

  @Test(arguments: InstructionLevel.available, [1, 2])
  func `streams that come, go, start again and miss frames get the bits they would get alone`(
    level: InstructionLevel, threads: Int
  ) throws {
    for (number, description) in Self.models.enumerated() {
      let form = Self.forms[number % Self.forms.count]
      let model = try Model(
        description.converted(to: form.type, inputBits: form.bits).settingAccuracy(form.accuracy),
        options: ModelOptions(level: level))
      try compare(model, threads: threads, seed: UInt64(number))
    }
  }

  @Test func `every type of weights gives groups the bits of sessions`() throws {
    for form in Self.forms {
      for cell in Cell.allCases {
        // With a last block that is half full, and without.
        for size in [40, 64] {
          let description = RandomModels.stack(cell, inputSize: 9, hiddenSize: size, seed: 3)
          let model = try Model(
            description.converted(to: form.type, inputBits: form.bits)
              .settingAccuracy(form.accuracy))
          try compare(model, threads: 1, seed: 4)
        }
      }
    }
  }

  /// Plays a random history of a group, and of a session for each of its streams.
  private func compare(_ model: Model, threads: Int, seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let capacity = 29
    var group = SessionGroup(model, capacity: capacity, threads: threads)
    let alone = (0..<capacity).map { _ in Alone(model) }
    let frames = RandomModels.frames(200, of: model.description.programs[0], seed: seed)
    let size = model.frameSize
    var compared = 0
    for _ in 0..<40 {
      for stream in 0..<capacity {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0 where alone[stream].isJoined:
          try group.leave(stream)
          alone[stream].isJoined = false
        case 1 where alone[stream].isJoined:
          try group.reset(stream)
          alone[stream].session.reset()
        case 2..<12 where !alone[stream].isJoined:
          let joined = try group.join()
          #expect(!alone[joined].isJoined)
          alone[joined].isJoined = true
          alone[joined].session.reset()
        default: break
        }
      }
      var expected: [Int: [Float]] = [:]
      for stream in 0..<capacity
      where alone[stream].isJoined && Bool.random(using: &generator) {
        let first = size * Int.random(in: 0..<200, using: &generator)
        let frame = Array(frames[first..<first + size])
        try group.submit(frame.span, to: stream)
        expected[stream] = try alone[stream].session.step(frame)
      }
      #expect(group.step() == expected.count)
      var prediction = [Float](repeating: 0, count: model.predictionSize)
      for stream in 0..<capacity where alone[stream].isJoined {
        var span = prediction.mutableSpan
        if let expected = expected[stream] {
          try group.prediction(of: stream, into: &span)
          let same = expected.map(\.bitPattern) == prediction.map(\.bitPattern)
          #expect(same, "stream \(stream)")
          guard same else { return }
          compared += 1
        } else {
          do throws(StepError) {
            try group.prediction(of: stream, into: &span)
            Issue.record("a prediction without a frame")
          } catch { #expect(error == .noPrediction) }
        }
      }
    }
    #expect(compared > 100)
  }

  /// What a stream would be alone.
  private final class Alone {
    var session: Session
    var isJoined = false
    init(_ model: Model) { session = Session(model) }
  }

  @Test func `a bad frame touches only its stream, which goes on with the next good one`() throws {
    let model = try Model(RandomModels.stack(.lstm, inputSize: 2, hiddenSize: 20, seed: 1))
    var group = SessionGroup(model, capacity: 2)
    var alone = Session(model)
    let (good, bad) = (try group.join(), try group.join())
    var prediction = [Float](repeating: 0, count: model.predictionSize)
    for value in [0.5, .nan, 0.25] as [Float] {
      let expected = try alone.step([0.5, 0.5])
      try group.submit([0.5, 0.5].span, to: good)
      do throws(StepError) {
        try group.submit([0.5, value].span, to: bad)
        #expect(value.isFinite)
      } catch { #expect(error == .nonFiniteInput(index: 1) && value.isNaN) }
      #expect(group.step() == (value.isNaN ? 1 : 2))
      var span = prediction.mutableSpan
      try group.prediction(of: good, into: &span)
      #expect(prediction == expected)
    }
    var two = Session(model)
    _ = try two.step([0.5, 0.5])
    let expected = try two.step([0.5, 0.25])
    var span = prediction.mutableSpan
    try group.prediction(of: bad, into: &span)
    #expect(prediction == expected)
  }

  @Test func `a result that is not finite leaves its stream as it was, and no other`() throws {
    let model = try Model(SmallModels.integrator)
    var group = SessionGroup(model, capacity: 2)
    let (a, b) = (try group.join(), try group.join())
    let largest = Float.greatestFiniteMagnitude
    var prediction: [Float] = [0]
    for (number, expected) in [(largest, largest), (largest, nil), (0, largest)]
      as [(Float, Float?)]
    {
      try group.submit([number].span, to: a)
      try group.submit([1].span, to: b)
      #expect(group.step() == 2)
      var span = prediction.mutableSpan
      do throws(StepError) {
        try group.prediction(of: a, into: &span)
        #expect(prediction[0] == expected)
      } catch { #expect(error == .nonFiniteResult && expected == nil) }
    }
    var span = prediction.mutableSpan
    try group.prediction(of: b, into: &span)
    #expect(prediction == [3])
  }

  @Test func `a full group, and streams that are not there, are refused`() throws {
    var group = SessionGroup(try Model(SmallModels.integrator), capacity: 1)
    let stream = try group.join()
    #expect(group.count == 1)
    #expect(throws: StepError.groupIsFull) { try group.join() }
    #expect(throws: StepError.noSuchStream) { try group.reset(1) }
    #expect(throws: StepError.noSuchStream) { try group.leave(-1) }
    #expect(throws: StepError.frameSize(expected: 1, actual: 2)) {
      try group.submit([1, 2].span, to: stream)
    }
    #expect(throws: StepError.noSuchProgram) {
      try group.submit([1].span, to: stream, program: 7)
    }
    try group.leave(stream)
    #expect(group.count == 0)
    #expect(throws: StepError.noSuchStream) { try group.submit([1].span, to: stream) }
    #expect(group.step() == 0)
  }
}
