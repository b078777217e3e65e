import Runnel
import TestSupport
import Testing

/// Models that do not answer every frame.
@Suite struct UnansweredFrameTests {
  static let description = RandomModels.everyThirdFrame(seed: 3)

  /// What each step of a stream gives, `nil` for none.
  private static func stepped(_ model: Model, _ frames: [Float]) throws -> [[Float]?] {
    var session = Session(model)
    var prediction = [Float](repeating: .nan, count: model.predictionSize)
    return try stride(from: 0, to: frames.count, by: model.frameSize).map { first in
      var span = prediction.mutableSpan
      let frame = Array(frames[first..<first + model.frameSize])
      return try session.step(frame.span, into: &span) ? prediction : nil
    }
  }

  @Test(arguments: InstructionLevel.available)
  func `every third frame is answered, as the reference says`(level: InstructionLevel) throws {
    let model = try Model(Self.description, options: ModelOptions(level: level))
    #expect(!model.programs[0].answersEveryFrame)
    let frames = RandomModels.frames(40, of: Self.description.programs[0], seed: 1)
    let found = try Self.stepped(model, frames)
    #expect(found.indices.filter { found[$0] != nil } == Array(stride(from: 1, to: 40, by: 3)))
    var reference = ReferenceInterpreter(Self.description)
    let deviation = zip(found.compactMap { $0 }.joined(), reference.run(frames: frames))
      .map { abs(Double($0) - $1) }.max()!
    #expect(deviation <= 2e-6)
    // Whole sequences give the answers alone, and the same ones.
    #expect(
      try model.run([frames, Array(frames[..<20]), []]) == [
        Array(found.compactMap { $0 }.joined()), found[1]!, [],
      ])
  }

  @Test func `streams of a group are answered when their turn comes`() throws {
    let model = try Model(Self.description)
    let count = 9
    let size = model.frameSize
    let sequences = (0..<count).map {
      RandomModels.frames(30, of: Self.description.programs[0], seed: UInt64($0))
    }
    var group = SessionGroup(model, capacity: count)
    var predictions = [Float](repeating: .nan, count: count * model.predictionSize)
    var streams: [Int] = []
    var found = [[[Float]?]](repeating: [], count: count)
    // Streams join one after the other, so that they are not answered at the same steps.
    for step in 0..<30 + count {
      if step < count { streams.append(try group.join()) }
      let here = streams.filter { found[$0].count < 30 }
      let frames = here.flatMap { stream in
        let first = found[stream].count * size
        return sequences[stream][first..<first + size]
      }
      var span = predictions.mutableSpan
      #expect(try group.step(here.span, frames: frames.span, into: &span) == 0)
      for (row, stream) in here.enumerated() {
        let first = row * model.predictionSize
        found[stream].append(
          try group.hasPrediction(stream)
            ? Array(predictions[first..<first + model.predictionSize]) : nil)
        #expect(try group.refusal(of: stream) == nil)
      }
    }
    for (sequence, found) in zip(sequences, found) {
      #expect(try found == Self.stepped(model, sequence))
    }
  }

  @Test func `a refused frame counts for nothing, before or behind the place where steps end`()
    throws
  {
    let model = try Model(Self.description)
    var session = Session(model)
    var prediction = [Float](repeating: 0, count: model.predictionSize)
    let frame = [Float](repeating: 0.5, count: model.frameSize)
    var answers: [Bool] = []
    for step in 0..<9 {
      var span = prediction.mutableSpan
      let bad = [Float](repeating: step % 2 == 0 ? .nan : .infinity, count: model.frameSize)
      #expect(throws: StepError.nonFiniteInput(index: 0)) {
        try session.step(bad.span, into: &span)
      }
      answers.append(try session.step(frame.span, into: &span))
    }
    #expect(answers == (0..<9).map { $0 % 3 == 1 })
    let clean = try Self.stepped(model, Array(repeating: frame, count: 9).flatMap { $0 })
    #expect(prediction == clean[7])
  }

  @Test func `what overflowed behind that place is not held against a step that ends before`()
    throws
  {
    var maker = ModelMaker(seed: 1)
    let frame = maker.input("frame", size: 1)
    let turn = maker.state("turn", size: 1)
    let second = maker.add(.every(frame, stride: 2, state: turn))
    let square = maker.add(.multiply(second, second))
    let description = maker.finish(outputs: [OutputPort(name: "square", slot: square)])
    var session = Session(try Model(description))
    var prediction: [Float] = [0]
    func step(_ value: Float) throws(StepError) -> Bool {
      var span = prediction.mutableSpan
      return try session.step([value].span, into: &span)
    }
    #expect(try step(3))
    #expect(try !step(3))
    #expect(throws: StepError.nonFiniteResult) { _ = try step(1e30) }
    // The refused step was not taken: this one has its place, and the next one ends early.
    #expect(try step(2))
    #expect(prediction == [4])
    #expect(throws: StepError.nonFiniteInput(index: 0)) { _ = try step(.nan) }
    #expect(try !step(1e30))
  }

  @Test func `golden frames have zeros where there is no prediction`() throws {
    var description = Self.description.withGoldenFrames(8, seed: 4)
    let size = try Model(description).predictionSize
    #expect(description.golden.runs[0].predictions[..<size].allSatisfy { $0 == 0 })
    #expect(try Model(description).verify().ok)
    #expect(try description.encoded().decoded() == description)
    // A prediction where there is none is caught.
    description.golden.runs[0].predictions[0] = 1
    #expect(try !Model(description).verify().ok)
  }
}
