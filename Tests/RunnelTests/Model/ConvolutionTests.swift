import Runnel
import TestSupport
import Testing

/// Operations on windows of a frame: convolutions, pooling, and gathers.
@Suite struct ConvolutionTests {
  /// What a convolution is made of, in positions and channels.
  struct Shape: Sendable, CustomTestStringConvertible {
    let positions, channels, kernel, stride, outputs: Int

    init(_ positions: Int, _ channels: Int, _ kernel: Int, _ stride: Int, _ outputs: Int) {
      (self.positions, self.channels, self.kernel) = (positions, channels, kernel)
      (self.stride, self.outputs) = (stride, outputs)
    }

    var testDescription: String {
      "\(positions) × \(channels), kernel \(kernel), stride \(stride), \(outputs) outputs"
    }
  }

  static let shapes = [
    Shape(1, 1, 1, 1, 1), Shape(5, 1, 3, 1, 1), Shape(6, 3, 3, 2, 5), Shape(4, 7, 3, 1, 17),
    Shape(9, 16, 2, 3, 64), Shape(40, 2, 5, 1, 66), Shape(30, 5, 1, 1, 130),
    Shape(640, 1, 256, 128, 30),
  ]

  private static func convolution(_ shape: Shape) -> ModelDescription {
    var maker = ModelMaker(seed: UInt64(shape.outputs))
    let frame = maker.input("frame", size: shape.positions * shape.channels)
    let columns = shape.kernel * shape.channels
    let result = maker.add(
      .convolution(
        input: frame,
        weights: maker.tensor(
          "weights", [shape.outputs, columns], bound: 1 / Float(columns).squareRoot()),
        bias: maker.tensor("bias", [shape.outputs], bound: 1), stride: shape.stride * shape.channels
      ))
    return maker.finish(outputs: [OutputPort(name: "y", slot: result)])
  }

  @Test(arguments: shapes, [StorageFormat.float32, .float16, .bfloat16, .int8])
  func `convolutions agree with the reference, and with the same bits on every level and in groups`(
    shape: Shape, format: StorageFormat
  ) throws {
    let description = Self.convolution(shape).stored(as: format)
    let size = shape.positions * shape.channels
    let frames = RandomModels.frames(7, of: description.programs[0], seed: 1)
    var reference = ReferenceInterpreter(description, roundsOperands: true)
    let expected = reference.run(frames: frames)
    var bits: [InstructionLevel: [UInt32]] = [:]
    for level in InstructionLevel.available {
      let model = try Model(description, options: ModelOptions(level: level))
      var session = Session(model)
      let found = try stride(from: 0, to: frames.count, by: size).flatMap {
        try session.step(Array(frames[$0..<$0 + size]))
      }
      let deviation = zip(found, expected).map { abs(Double($0) - $1) }.max()!
      #expect(deviation <= 5e-6, "\(level)")
      bits[level] = found.map(\.bitPattern)
      #expect(try model.run([frames])[0].map(\.bitPattern) == bits[level], "\(level)")
    }
    if let wide = bits[.v4], let narrow = bits[.v3] { #expect(wide == narrow) }
  }

  @Test func `a convolution of one window is a dense layer, bit for bit`() throws {
    let shape = Shape(6, 11, 6, 1, 70)
    var dense = Self.convolution(shape)
    let operation = dense.programs[0].operations[0]
    dense.programs[0].operations[0] = .dense(
      input: 0, weights: operation.tensors[0], bias: operation.tensors[1])
    let frames = RandomModels.frames(9, of: dense.programs[0], seed: 3)
    let (one, other) = (
      try Model(dense).run([frames]), try Model(Self.convolution(shape)).run([frames])
    )
    #expect(one == other)
  }

  @Test(arguments: InstructionLevel.available, [1, 3, 16, 17, 40])
  func `depthwise convolutions and pooling agree with the reference`(
    level: InstructionLevel, channels: Int
  ) throws {
    var maker = ModelMaker(seed: UInt64(channels))
    let frame = maker.input("frame", size: 7 * channels)
    var slots: [Int] = []
    for (kernel, step) in [(1, 1), (3, 1), (2, 2), (7, 5)] {
      slots.append(
        maker.add(
          .depthwise(
            input: frame, weights: maker.tensor("w\(kernel)", [kernel, channels], bound: 1),
            bias: maker.tensor("b\(kernel)", [channels], bound: 1), stride: step * channels)))
      slots.append(
        maker.add(.maximum(frame, width: channels, count: kernel, stride: step * channels)))
    }
    let description = maker.finish(outputs: slots.map { OutputPort(name: "\($0)", slot: $0) })
    let frames = RandomModels.frames(5, of: description.programs[0], seed: 2)
    var reference = ReferenceInterpreter(description)
    let model = try Model(description, options: ModelOptions(level: level))
    let found = try model.run([frames])[0]
    let deviation = zip(found, reference.run(frames: frames)).map { abs(Double($0) - $1) }.max()!
    #expect(deviation <= 2e-6)
  }

  @Test(arguments: InstructionLevel.available)
  func `gathers pick, repeat, move and pad, whether in runs or one by one`(
    level: InstructionLevel
  ) throws {
    var random = SplitMix64(seed: 7)
    let lists: [[Int]] = [
      [0], [-1], Array(0..<50), Array((0..<50).reversed()), Array(3..<40),
      Array(repeating: -1, count: 17) + Array(5..<30) + Array(repeating: -1, count: 3),
      (0..<70).map { _ in random.index(51) - 1 }, Array(10..<50) + Array(0..<10),
    ]
    for numbers in lists {
      var maker = ModelMaker(seed: 1)
      let frame = maker.input("frame", size: 50)
      // What a slot holds behind its end must not come in.
      let moved = maker.add(
        .gather(
          maker.add(
            .affine(
              input: frame, scale: maker.tensor("scale", values: .init(repeating: 1, count: 50)),
              shift: maker.tensor("shift", values: .init(repeating: 0, count: 50)))),
          numbers: maker.tensor("numbers", values: numbers.map { Float($0) })))
      let description = maker.finish(outputs: [OutputPort(name: "moved", slot: moved)])
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      for start in [1, 100] {
        let frame = (start..<start + 50).map { Float($0) }
        #expect(try session.step(frame) == numbers.map { $0 < 0 ? 0 : frame[$0] }, "\(numbers)")
      }
    }
  }

  @Test func `a NaN within a window is not lost to the maximum`() throws {
    var maker = ModelMaker(seed: 1)
    let frame = maker.input("frame", size: 3)
    let quotient = maker.add(.divide(frame, by: frame))
    let largest = maker.add(.maximum(quotient, width: 1, count: 3))
    let description = maker.finish(outputs: [OutputPort(name: "largest", slot: largest)])
    for level in InstructionLevel.available {
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      #expect(try session.step([1, 2, -3]) == [1])
      for place in 0..<3 {
        var frame: [Float] = [1, 1, 1]
        frame[place] = 0
        #expect(throws: StepError.nonFiniteResult) { _ = try session.step(frame) }
      }
    }
  }

  @Test(arguments: InstructionLevel.available, [1, 2, 5])
  func `a window of a stream is the frames that a causal convolution sees`(
    level: InstructionLevel, dilation: Int
  ) throws {
    for size in [1, 3, 16, 21] {
      var maker = ModelMaker(seed: 1)
      let frame = maker.input("frame", size: size)
      let past = maker.state("past", size: 2 * dilation * size)
      let window = maker.add(.window(frame, state: past, dilation: dilation))
      let description = maker.finish(outputs: [OutputPort(name: "window", slot: window)])
      let model = try Model(description, options: ModelOptions(level: level))
      let frames = RandomModels.frames(40, of: description.programs[0], seed: 3)
      let padded = [Float](repeating: 0, count: 2 * dilation * size) + frames
      let expected = (0..<40).flatMap { step in
        (0..<3).flatMap { tap in
          let first = (step + tap * dilation) * size
          return padded[first..<first + size]
        }
      }
      #expect(try model.run([frames])[0] == expected)
      var session = Session(model)
      let found = try stride(from: 0, to: frames.count, by: size).flatMap {
        try session.step(Array(frames[$0..<$0 + size]))
      }
      #expect(found == expected)
    }
  }
}
