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
      var streams: [Int] = []
      var given: [Float] = []
      var expected: [Float] = []
      for stream in (0..<capacity).shuffled(using: &generator)
      where alone[stream].isJoined && Bool.random(using: &generator) {
        let first = size * Int.random(in: 0..<200, using: &generator)
        let frame = Array(frames[first..<first + size])
        streams.append(stream)
        given += frame
        expected += try alone[stream].session.step(frame)
      }
      var predictions = [Float](repeating: 0, count: expected.count)
      var span = predictions.mutableSpan
      #expect(try group.step(streams.span, frames: given.span, into: &span) == 0)
      let same = expected.map(\.bitPattern) == predictions.map(\.bitPattern)
      #expect(same, "streams \(streams)")
      guard same else { return }
      compared += streams.count
    }
    #expect(compared > 100)
  }

  /// What a stream would be alone.
  private final class Alone {
    var session: Session
    var isJoined = false
    init(_ model: Model) { session = Session(model) }
  }

  @Test(arguments: Cell.allCases)
  func `a stream goes on as the session or the stream does whose states it was given`(
    cell: Cell
  ) throws {
    let description = RandomModels.stack(
      cell, inputSize: 3, hiddenSize: 20, layers: 2, seed: 1)
    let model = try Model(description)
    let frames = RandomModels.frames(8, of: description.programs[0], seed: 2)
    func frame(_ number: Int) -> [Float] { Array(frames[3 * number..<3 * number + 3]) }
    // Each of the two buffers of states is the current one of each side once.
    for (before, own) in [(4, 0), (5, 0), (4, 1), (5, 1)] {
      var session = Session(model)
      for number in 0..<before { _ = try session.step(frame(number)) }
      var group = SessionGroup(model, capacity: 3)
      let (first, other, copy) = (try group.join(), try group.join(), try group.join())
      func step(_ streams: [Int], _ frame: [Float]) throws -> [Float] {
        var predictions = [Float](repeating: 0, count: streams.count * model.predictionSize)
        var span = predictions.mutableSpan
        let frames = streams.flatMap { _ in frame }
        #expect(try group.step(streams.span, frames: frames.span, into: &span) == 0)
        return predictions
      }
      for _ in 0..<own { _ = try step([first, copy], frame(7)) }
      try group.copyStates(of: session, to: first)
      let expected = try session.step(frame(5))
      #expect(try step([first], frame(5)) == expected)
      try group.copyStates(of: first, to: copy)
      let second = try session.step(frame(6))
      var fresh = Session(model)
      #expect(try step([first, other, copy], frame(6)) == second + fresh.step(frame(6)) + second)
    }
  }

  @Test func `states of another model, or of a stream that is not there, are refused`() throws {
    let description = RandomModels.stack(.lstm, inputSize: 2, hiddenSize: 4, seed: 1)
    let model = try Model(description)
    let other = try Model(description)
    var group = SessionGroup(model, capacity: 2)
    let stream = try group.join()
    #expect(throws: GroupError.otherModel) {
      try group.copyStates(of: Session(other), to: stream)
    }
    #expect(throws: GroupError.noSuchStream(1)) {
      try group.copyStates(of: Session(model), to: 1)
    }
    #expect(throws: GroupError.noSuchStream(1)) { try group.copyStates(of: stream, to: 1) }
    #expect(throws: GroupError.noSuchStream(-1)) { try group.copyStates(of: -1, to: stream) }
  }

  @Test(arguments: [1, 2])
  func `a bad frame touches only its stream, which goes on with the next good one`(
    threads: Int
  ) throws {
    let model = try Model(RandomModels.stack(.lstm, inputSize: 2, hiddenSize: 20, seed: 1))
    let capacity = 19
    var group = SessionGroup(model, capacity: capacity, threads: threads)
    var streams: [Int] = []
    for _ in 0..<capacity { streams.append(try group.join()) }
    let size = model.predictionSize
    var good = Session(model)
    // A stream without the frame that is refused.
    var late = Session(model)
    for (number, value) in ([0.5, .nan, 0.25] as [Float]).enumerated() {
      let bad: Set<Int> = value.isNaN ? [0, 3, 17, 18] : []
      let frames = streams.flatMap { [0.5, bad.contains($0) ? value : 0.5] as [Float] }
      var predictions = [Float](repeating: -7, count: capacity * size)
      var span = predictions.mutableSpan
      #expect(try group.step(streams.span, frames: frames.span, into: &span) == bad.count)
      let expected = try good.step([0.5, 0.5])
      let expectedLate = value.isNaN ? expected : try late.step([0.5, 0.5])
      for stream in streams {
        let row = Array(predictions[stream * size..<(stream + 1) * size])
        let refusal = try group.refusal(of: stream)
        if bad.contains(stream) {
          #expect(row == Array(repeating: -7, count: size))
          #expect(refusal == .nonFiniteInput(index: 1))
        } else {
          let isLate = number == 2 && [0, 3, 17, 18].contains(stream)
          #expect(row == (isLate ? expectedLate : expected), "stream \(stream)")
          #expect(refusal == nil)
        }
      }
    }
  }

  @Test func `a result that is not finite leaves its stream as it was, and no other`() throws {
    let model = try Model(SmallModels.integrator)
    var group = SessionGroup(model, capacity: 2)
    let streams = [try group.join(), try group.join()]
    let largest = Float.greatestFiniteMagnitude
    for (number, expected) in [
      (largest, [largest, 1]), (largest, [-7, 2]), (0, [largest, 3]),
    ] as [(Float, [Float])] {
      var predictions: [Float] = [-7, -7]
      var span = predictions.mutableSpan
      let refused = try group.step(streams.span, frames: [number, 1].span, into: &span)
      #expect(predictions == expected)
      #expect(refused == (expected[0] == -7 ? 1 : 0))
      #expect(try group.refusal(of: streams[0]) == (refused == 1 ? .nonFiniteResult : nil))
      #expect(try group.refusal(of: streams[1]) == nil)
    }
  }

  @Test func `what a group cannot do is refused, and nothing has happened`() throws {
    var group = SessionGroup(try Model(SmallModels.integrator), capacity: 2)
    let first = try group.join()
    let second = try group.join()
    #expect(group.count == 2)
    #expect(throws: GroupError.full) { try group.join() }
    #expect(throws: GroupError.noSuchStream(2)) { try group.reset(2) }
    #expect(throws: GroupError.noSuchStream(-1)) { try group.leave(-1) }
    var predictions: [Float] = []
    func step(
      _ streams: [Int], _ frames: [Float], room: Int, program: Int = 0
    ) throws -> Int {
      predictions = Array(repeating: 0, count: room)
      var span = predictions.mutableSpan
      return try group.step(streams.span, frames: frames.span, into: &span, program: program)
    }
    #expect(throws: GroupError.noSuchStream(2)) { try step([first, 2], [1, 1], room: 2) }
    #expect(throws: GroupError.streamTwice(first)) { try step([first, first], [1, 1], room: 2) }
    #expect(throws: GroupError.frameSize(expected: 2, actual: 1)) {
      try step([first, second], [1], room: 2)
    }
    #expect(throws: GroupError.predictionSize(expected: 2, actual: 1)) {
      try step([first, second], [1, 1], room: 1)
    }
    for program in [-1, 7] {
      #expect(throws: GroupError.noSuchProgram) {
        try step([first], [1], room: 1, program: program)
      }
    }
    #expect(try step([], [], room: 0) == 0)
    #expect(try step([second, first], [2, 5], room: 3) == 0)
    #expect(predictions == [2, 5, 0])
    try group.leave(first)
    #expect(group.count == 1)
    #expect(throws: GroupError.noSuchStream(first)) { try step([first], [1], room: 1) }
    #expect(throws: GroupError.noSuchStream(first)) { try group.refusal(of: first) }
  }
}
