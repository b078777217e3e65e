import Runnel
import TestSupport
import Testing

/// Whole sequences against single steps.
@Suite struct SequenceTests {
  private static let models =
    Cell.allCases.flatMap { cell in
      [7, 32, 50, 130].map {
        RandomModels.stack(cell, inputSize: 5, hiddenSize: $0, layers: 2, headSize: 70, seed: 1)
      }
    } + [RandomModels.everyOperation(seed: 1)]

  @Test(arguments: InstructionLevel.available)
  func `a sequence gives the bits of single steps, and so does the stream behind it`(
    level: InstructionLevel
  ) throws {
    let forms: [(WeightType, Int)] = [
      (.float32, 16), (.float16, 16), (.bfloat16, 16), (.int8, 16), (.int8, 8),
    ]
    for (number, description) in Self.models.enumerated() {
      let (type, bits) = forms[number % forms.count]
      let model = try Model(
        description.converted(to: type, inputBits: bits), options: ModelOptions(level: level))
      var stepped = Session(model)
      var run = Session(model)
      for count in [1, 11, 203] {
        let frames = RandomModels.frames(
          count, of: description.programs[0], seed: UInt64(number + count))
        var expected: [Float] = []
        for first in stride(from: 0, to: frames.count, by: model.frameSize) {
          expected += try stepped.step(Array(frames[first..<first + model.frameSize]))
        }
        var predictions = [Float](repeating: 0, count: count * model.predictionSize)
        var span = predictions.mutableSpan
        try run.run(frames: frames.span, into: &span)
        #expect(
          predictions.map(\.bitPattern) == expected.map(\.bitPattern), "model \(number), \(count)")
      }
    }
  }

  @Test func `sequences of different lengths run together as they would alone`() throws {
    for (type, cell) in zip(
      [WeightType.float32, .int8, .bfloat16], [Cell.lstm, .gruResetAfter, .rnnTanh])
    {
      let description = RandomModels.stack(cell, inputSize: 3, hiddenSize: 40, headSize: 4, seed: 2)
      let model = try Model(description.converted(to: type))
      let sequences = [5, 0, 140, 1, 33, 140, 2].enumerated().map { index, count in
        RandomModels.frames(count, of: description.programs[0], seed: UInt64(index))
      }
      let together = try model.run(sequences)
      for (sequence, predictions) in zip(sequences, together) {
        var session = Session(model)
        var expected: [Float] = []
        for first in stride(from: 0, to: sequence.count, by: 3) {
          expected += try session.step(Array(sequence[first..<first + 3]))
        }
        #expect(predictions == expected)
      }
      #expect(together[0] != together[4])
    }
    #expect(try Model(SmallModels.integrator).run([]) == [])
  }

  @Test func `a bad frame is named, and the stream is as it was`() throws {
    let model = try Model(SmallModels.integrator)
    var session = Session(model)
    #expect(try session.step([1]) == [1])
    var predictions = [Float](repeating: 0, count: 3)
    #expect(throws: StepError.nonFiniteInput(index: 2)) {
      var span = predictions.mutableSpan
      try session.run(frames: [1, 2, .infinity].span, into: &span)
    }
    #expect(throws: StepError.nonFiniteResult) {
      var span = predictions.mutableSpan
      let largest = Float.greatestFiniteMagnitude
      try session.run(frames: [1, largest, largest].span, into: &span)
    }
    #expect(throws: StepError.predictionSize(expected: 2, actual: 3)) {
      var span = predictions.mutableSpan
      try session.run(frames: [1, 1].span, into: &span)
    }
    #expect(try session.step([1]) == [2])
  }

  @Test func `states can be read`() throws {
    let model = try Model(RandomModels.stack(.lstm, inputSize: 1, hiddenSize: 20, seed: 1))
    var session = Session(model)
    let prediction = try session.step([1])
    var hidden = [Float](repeating: 0, count: 20)
    var span = hidden.mutableSpan
    session.copyState(0, into: &span)
    #expect(hidden == prediction)
  }
}
