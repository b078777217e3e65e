import Runnel
import TestSupport
import Testing

/// Cells that are made of other operations, with `recall` and `store`.
@Suite struct StateOperationTests {
  /// A running sum and a delay of one frame of x, of `size` elements: y = x before, s' = s + x.
  private static func sumAndDelay(size: Int) -> ModelDescription {
    var maker = ModelMaker(seed: 1)
    let x = maker.input("x", size: size)
    let (sum, last) = (maker.state("sum", size: size), maker.state("last", size: size))
    let total = maker.add(.store(maker.add(.add(maker.add(.recall(sum)), x)), state: sum))
    _ = maker.add(.store(x, state: last))
    // What is recalled is the state before the step, whatever has been stored in it.
    let before = maker.add(.recall(last))
    return maker.finish(outputs: [
      OutputPort(name: "sum", slot: total), OutputPort(name: "before", slot: before),
    ])
  }

  /// A cell without bias whose state is `tanh(W x + R h)`, as an operation or made of others.
  private static func cell(isMade: Bool, size: Int) -> ModelDescription {
    var maker = ModelMaker(seed: UInt64(size))
    let x = maker.input("x", size: 3)
    let w = maker.tensor("w", [size, 3], bound: 0.5)
    let r = maker.tensor("r", [size, size], bound: 1 / Float(size).squareRoot())
    let zeros = maker.tensor("b", values: .init(repeating: 0, count: size))
    let h = maker.state("h", size: size)
    let result: Int
    if isMade {
      let product = maker.add(.dense(input: x, weights: w, bias: zeros))
      let recurrent = maker.add(
        .dense(input: maker.add(.recall(h)), weights: r, bias: zeros))
      result = maker.add(.store(maker.add(.tanh(maker.add(.add(product, recurrent)))), state: h))
    } else {
      result = maker.add(
        .rnn(.tanh, input: x, inputWeights: w, recurrentWeights: r, bias: zeros, hidden: h))
    }
    return maker.finish(outputs: [OutputPort(name: "h", slot: result)])
  }

  @Test(arguments: InstructionLevel.available, [1, 7, 16, 33])
  func `what is stored is there in the next step, and recalled as it was before`(
    level: InstructionLevel, size: Int
  ) throws {
    let model = try Model(
      Self.sumAndDelay(size: size), options: ModelOptions(level: level))
    var session = Session(model)
    for _ in 0..<2 {
      var (sum, last) = ([Float](repeating: 0, count: size), [Float](repeating: 0, count: size))
      for frame in 1...20 {
        let x = (0..<size).map { Float(frame * ($0 + 1)) }
        for k in x.indices { sum[k] += x[k] }
        #expect(try session.step(x) == sum + last)
        last = x
      }
      session.reset()
    }
  }

  @Test func `a refused step leaves what was stored`() throws {
    var session = Session(try Model(Self.sumAndDelay(size: 2)))
    #expect(try session.step([1, 2]) == [1, 2, 0, 0])
    #expect(throws: StepError.nonFiniteInput(index: 1)) { _ = try session.step([1, .nan]) }
    // The sum overflows, and nothing else does.
    #expect(try session.step([3e38, 0]) == [3e38, 2, 1, 2])
    #expect(throws: StepError.nonFiniteResult) { _ = try session.step([3e38, 0]) }
    #expect(try session.step([0, 1]) == [3e38, 3, 3e38, 0])
  }

  @Test(arguments: [1, 8, 40])
  func `a cell that is made of operations agrees with the one that is an operation`(
    size: Int
  ) throws {
    let (made, whole) = (Self.cell(isMade: true, size: size), Self.cell(isMade: false, size: size))
    let frames = RandomModels.frames(500, of: made.programs[0], seed: 3)
    var first = Session(try Model(made))
    var second = Session(try Model(whole))
    var worst: Float = 0
    for start in stride(from: 0, to: frames.count, by: 3) {
      let frame = Array(frames[start..<start + 3])
      let one = try first.step(frame)
      let other = try second.step(frame)
      worst = max(worst, zip(one, other).map { abs($0 - $1) }.max()!)
    }
    #expect(worst <= 2e-6)
  }

  @Test func `whole sequences give the bits of single sessions`() throws {
    for description in [Self.sumAndDelay(size: 5), Self.cell(isMade: true, size: 40)] {
      let model = try Model(description)
      let size = model.frameSize
      let sequences = [30, 7, 0, 30, 1].enumerated().map { index, count in
        RandomModels.frames(count, of: description.programs[0], seed: UInt64(index))
      }
      let together = try model.run(sequences)
      for (sequence, predictions) in zip(sequences, together) {
        var session = Session(model)
        var expected: [Float] = []
        for first in stride(from: 0, to: sequence.count, by: size) {
          expected += try session.step(Array(sequence[first..<first + size]))
        }
        #expect(predictions.map(\.bitPattern) == expected.map(\.bitPattern))
      }
    }
  }
}
