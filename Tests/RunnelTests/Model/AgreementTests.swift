import Runnel
import TestSupport
import Testing

/// The runtime against the scalar Double reference, every cell, size and level.
@Suite struct AgreementTests {
  static let inputSize = 3
  static let frames = 1000

  @Test(arguments: Cell.allCases, [1, 2, 3])
  func `1,000 frames agree with the Double reference at every size, and V3 with V4 in every bit`(
    cell: Cell, layers: Int
  ) throws {
    for size in 1...130 {
      let description = RandomModels.stack(
        cell, inputSize: Self.inputSize, hiddenSize: size, layers: layers,
        seed: UInt64(1000 * layers + size))
      let frames = RandomModels.frames(
        Self.frames, of: description.programs[0], seed: UInt64(size))
      var reference = ReferenceInterpreter(description)
      let expected = reference.run(frames: frames)
      var wide: [Float] = []
      for level in InstructionLevel.available.reversed() {
        let predictions = try stream(description, frames, level)
        let deviation = zip(predictions, expected).map { abs(Double($0) - $1) }.max()!
        #expect(deviation <= 2e-6, "\(cell), \(layers) × \(size) units, \(level)")
        if level == .v4 { wide = predictions }
        if level == .v3, !wide.isEmpty {
          #expect(
            predictions.map(\.bitPattern) == wide.map(\.bitPattern),
            "\(cell), \(layers) × \(size) units: V3 and V4 differ")
        }
      }
    }
  }

  @Test(arguments: InstructionLevel.available)
  func `every operation agrees with the Double reference`(level: InstructionLevel) throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      let description = RandomModels.everyOperation(seed: seed).withGoldenFrames(50, seed: seed)
      let model = try Model(description, options: ModelOptions(level: level))
      let verification = model.verify()
      #expect(verification.frames == 100)
      #expect(verification.ok && verification.maxDeviation <= 2e-6, "seed \(seed): \(verification)")
    }
  }

  @Test(.enabled(if: InstructionLevel.best == .v4, "the CPU has not both levels"))
  func `every operation gives the same bits on V3 and V4, also far from 1`() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      let description = RandomModels.everyOperation(seed: seed)
      for scale in [1, 1e4, 0x1p-70] as [Float] {
        let frames = RandomModels.frames(200, of: description.programs[0], seed: seed)
        // The last number of a frame is the index.
        let scaled = frames.enumerated().map { $0 % 6 == 5 ? $1 : $1 * scale }
        let wide = try stream(description, scaled, .v4)
        let narrow = try stream(description, scaled, .v3)
        #expect(wide.map(\.bitPattern) == narrow.map(\.bitPattern))
      }
    }
  }

  @Test func `a model whose golden frames it does not give is refused when asked for`() throws {
    var description = RandomModels.everyOperation(seed: 1).withGoldenFrames(5, seed: 1)
    let checked = ModelOptions(verifiesGolden: true)
    _ = try Model(description, options: checked)
    description.golden.runs[1].predictions[3] += 0.5
    let verification = try Model(description).verify()
    #expect(!verification.ok)
    #expect(abs(verification.maxDeviation - 0.5) < 1e-4)
    #expect(throws: ModelError.deviation(verification.maxDeviation, tolerance: 1e-5)) {
      try Model(description, options: checked)
    }
  }

  /// bfloat16 and int8 round vectors as well; see `WeightTypeTests`.
  @Test(arguments: Cell.allCases)
  func `float16 weights give what their numbers give as floats`(cell: Cell) throws {
    let original = RandomModels.stack(cell, inputSize: 3, hiddenSize: 20, seed: 5)
    let small = original.converted(to: .float16)
    let frames = RandomModels.frames(20, of: original.programs[0], seed: 1)
    for level in InstructionLevel.available {
      let predictions = try stream(small, frames, level)
      #expect(predictions == (try stream(small.converted(to: .float32), frames, level)))
      #expect(predictions != (try stream(original, frames, level)))
    }
  }

  @Test(arguments: [WeightType.float16, .bfloat16, .int8])
  func `a cell with matrices of two types gives what their numbers give as floats`(
    type: WeightType
  ) throws {
    var mixed = RandomModels.stack(.gruResetAfter, inputSize: 3, hiddenSize: 20, seed: 5)
    mixed.tensors[1] = mixed.tensors[1].converted(to: type)
    let frames = RandomModels.frames(20, of: mixed.programs[0], seed: 1)
    for level in InstructionLevel.available {
      #expect(
        try stream(mixed, frames, level)
          == stream(mixed.converted(to: .float32), frames, level))
    }
  }

  @Test func `a level that the CPU has not is refused`() throws {
    let description = RandomModels.stack(.lstm, inputSize: 1, hiddenSize: 1, seed: 1)
    for level in InstructionLevel.allCases where level > .best {
      #expect(throws: ModelError.unsupportedLevel) {
        try Model(description, options: ModelOptions(level: level))
      }
    }
    #expect(try Model(description).level == .best)
  }

  /// The predictions of a model's first program, one behind the other.
  private func stream(
    _ description: ModelDescription, _ frames: [Float], _ level: InstructionLevel
  ) throws -> [Float] {
    let model = try Model(description, options: ModelOptions(level: level))
    var session = Session(model)
    var predictions: [Float] = []
    for first in stride(from: 0, to: frames.count, by: model.frameSize) {
      predictions += try session.step(Array(frames[first..<first + model.frameSize]))
    }
    return predictions
  }
}
