import Runnel
import TestSupport
import Testing

/// Programs with layers that run backward in time.
@Suite struct WholeSequenceTests {
  @Test(arguments: Cell.allCases, [1, 8, 40])
  func `both directions agree with the reference, and with two models of one direction`(
    cell: Cell, size: Int
  ) throws {
    let description = RandomModels.bothDirections(cell, hiddenSize: size, seed: 2)
    let lengths = [37, 5, 1, 0, 37, 130]
    let sequences = lengths.enumerated().map {
      RandomModels.frames($1, of: description.programs[0], seed: UInt64($0))
    }
    for level in InstructionLevel.available {
      let model = try Model(description, options: ModelOptions(level: level))
      #expect(model.programs[0].needsWholeSequence)
      for (sequence, found) in zip(sequences, try model.run(sequences)) {
        var reference = ReferenceInterpreter(description)
        let expected = reference.run(frames: sequence)
        #expect(found.count == expected.count)
        let deviation = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
        #expect(deviation <= 5e-6, "\(level)")
        // The forward half is that of a model without the other one.
        var forward = description
        forward.programs[0].operations.removeSubrange(1...)
        forward.programs[0].outputs = [OutputPort(name: "forward", slot: 1)]
        let alone = try Model(forward, options: ModelOptions(level: level)).run([sequence])[0]
        let half = found.indices.filter { $0 % (2 * size) < size }.map { found[$0] }
        #expect(half.map(\.bitPattern) == alone.map(\.bitPattern))
      }
    }
  }

  @Test func `a cell that is made of operations runs backward, too`() throws {
    let description = RandomModels.bothDirections(isMade: true, seed: 3)
    let sequences = [50, 3].map { RandomModels.frames($0, of: description.programs[0], seed: 9) }
    let model = try Model(description)
    for (sequence, found) in zip(sequences, try model.run(sequences)) {
      var reference = ReferenceInterpreter(description)
      let deviation = zip(found, reference.run(frames: sequence)).map { abs(Double($0) - $1) }
        .max()!
      #expect(deviation <= 5e-6)
    }
  }

  @Test func `single steps are refused`() throws {
    let model = try Model(RandomModels.bothDirections(seed: 1))
    let frame = [Float](repeating: 0, count: model.frameSize)
    var prediction = [Float](repeating: 7, count: model.predictionSize)
    var session = Session(model)
    var group = SessionGroup(model, capacity: 1)
    let stream = [try group.join()]
    var span = prediction.mutableSpan
    #expect(throws: StepError.needsWholeSequence) { try session.step(frame.span, into: &span) }
    #expect(throws: GroupError.needsWholeSequence) {
      try group.step(stream.span, frames: frame.span, into: &span)
    }
    #expect(prediction == .init(repeating: 7, count: model.predictionSize))
  }

  @Test func `a bad frame is named by its place in the sequence`() throws {
    let model = try Model(RandomModels.bothDirections(seed: 1))
    var frames = RandomModels.frames(6, of: model.description.programs[0], seed: 1)
    frames[17] = .nan
    #expect(throws: StepError.nonFiniteInput(index: 17)) { _ = try model.run([frames]) }
  }

  @Test func `golden frames are one sequence`() throws {
    var description = RandomModels.bothDirections(seed: 4).withGoldenFrames(8, seed: 4)
    #expect(try Model(description).verify().ok)
    description.golden.runs[0].frames[35] += 0.1
    #expect(try !Model(description).verify().ok)
  }

  @Test func `programs behind the first one run, too`() throws {
    var description = RandomModels.stack(.gruResetAfter, inputSize: 2, hiddenSize: 3, seed: 1)
    let both = RandomModels.bothDirections(seed: 5)
    description.append(both, name: "both")
    let frames = RandomModels.frames(9, of: both.programs[0], seed: 1)
    let model = try Model(description)
    #expect(try model.run([frames], program: 1) == Model(both).run([frames]))
    #expect(throws: StepError.noSuchProgram) { _ = try model.run([frames], program: 2) }
  }
}
