import Foundation
import Runnel
import TestSupport
import Testing

/// Operations element by element, and layer normalisation, against `Double`.
@Suite struct FunctionTests {
  private static let functions: [(name: ModelOperation.Code, of: @Sendable (Double) -> Double)] = [
    (.softplus, { max($0, 0) + log1p(exp(-abs($0))) }),
    (.gelu, { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 }),
  ]

  /// A prime, so that all exponents and many fractions occur.
  private static let prime: UInt32 = 9973

  @Test(arguments: InstructionLevel.available)
  func `softplus and GELU are within 1e-6 over the whole range`(level: InstructionLevel) throws {
    for function in Self.functions {
      var maker = ModelMaker(seed: 1)
      let x = maker.input("x", size: 2)
      let y = maker.add(ModelOperation(function.name, operands: [x]))
      let model = maker.finish(outputs: [OutputPort(name: "y", slot: y)])
      var session = Session(try Model(model, options: ModelOptions(level: level)))
      var worst = 0.0
      var differs = 0.0
      let last = Float.greatestFiniteMagnitude.bitPattern
      for bits in stride(from: 0, through: last, by: Int(Self.prime)) {
        let magnitude = Float(bitPattern: bits)
        for (x, y) in zip([magnitude, -magnitude], try session.step([magnitude, -magnitude])) {
          let expected = function.of(Double(x))
          worst = max(worst, abs(Double(y) - expected) / max(1, abs(expected)))
          differs = max(differs, abs(Double(y) - max(Double(x), 0)))
        }
      }
      #expect(worst <= 1e-6, "\(function.name), \(level)")
      // They are not the rectifier, which they are close to far from 0.
      #expect(differs > 0.1, "\(function.name), \(level)")
    }
  }

  @Test(arguments: InstructionLevel.available)
  func `exponential, logarithm and error function are within 1e-6`(level: InstructionLevel) throws {
    var maker = ModelMaker(seed: 1)
    let (x, positive) = (maker.input("x", size: 1), maker.input("positive", size: 1))
    let slots = [
      maker.add(.exponential(x)), maker.add(.errorFunction(x)), maker.add(.logarithm(positive)),
    ]
    let model = maker.finish(outputs: slots.map { OutputPort(name: "\($0)", slot: $0) })
    var session = Session(try Model(model, options: ModelOptions(level: level)))
    var worst = [0.0, 0, 0]
    let last = Float.greatestFiniteMagnitude.bitPattern
    for bits in stride(from: Float(0x1p-60).bitPattern, through: last, by: Int(Self.prime)) {
      let positive = Float(bitPattern: bits)
      // Both signs, and no further than where the exponential ends.
      let x = (bits & 1 == 0 ? positive : -positive).remainder(dividingBy: 2 * 88.72)
      let found = try session.step([x, positive]).map(Double.init)
      let power = exp(Double(x))
      // Results below 2^-60 are zeros.
      if power >= 0x1p-60 { worst[0] = max(worst[0], abs(found[0] / power - 1)) }
      worst[1] = max(worst[1], abs(found[1] - erf(Double(x))))
      let logarithm = log(Double(positive))
      worst[2] = max(worst[2], abs(found[2] - logarithm) / max(1, abs(logarithm)))
    }
    #expect(worst.max()! <= 1e-6, "\(worst)")
    #expect(try zip(session.step([0, 1]), [1, 0, 0]).allSatisfy { abs($0 - $1) <= 2e-7 })
    for frame in [[0, 0], [0, -1], [0, 0x1p-61], [89, 1]] as [[Float]] {
      #expect(throws: StepError.nonFiniteResult) { _ = try session.step(frame) }
    }
    #expect(try session.step([-1000, 1]) == [0, -1, 0])
    #expect(try session.step([88.7, 1])[0].isFinite)
  }

  @Test func `operations with weights agree with the reference at every size, on every level`()
    throws
  {
    for size in 1...40 {
      let description = Self.weighted(size: size)
      let frames = RandomModels.frames(20, of: description.programs[0], seed: UInt64(size))
      var reference = ReferenceInterpreter(description)
      let expected = reference.run(frames: frames)
      var predictions: [InstructionLevel: [Float]] = [:]
      for level in InstructionLevel.available {
        var session = Session(try Model(description, options: ModelOptions(level: level)))
        predictions[level] = try stride(from: 0, to: frames.count, by: size).flatMap {
          try session.step(Array(frames[$0..<$0 + size]))
        }
        let deviation = zip(predictions[level]!, expected).map { abs(Double($0) - $1) }.max()!
        #expect(deviation <= 5e-6, "\(size) elements, \(level)")
      }
      if let wide = predictions[.v4], let narrow = predictions[.v3] {
        #expect(wide.map(\.bitPattern) == narrow.map(\.bitPattern), "\(size) elements")
      }
    }
  }

  /// A layer norm of numbers around 10, and what bends and clips them.
  private static func weighted(size: Int) -> ModelDescription {
    var maker = ModelMaker(seed: UInt64(size))
    let x = maker.input("x", size: size)
    func vector(_ name: String, _ bound: Float) -> Int {
      maker.tensor(name, [size], bound: bound)
    }
    let far = maker.add(
      .affine(
        input: x, scale: vector("far.scale", 3),
        shift: maker.tensor("far.shift", values: .init(repeating: 10, count: size))))
    let normal = maker.add(
      .layerNorm(
        input: far, scale: vector("scale", 2), shift: vector("shift", 1),
        epsilon: maker.tensor("epsilon", values: [0.5])))
    let slots = [
      normal,
      maker.add(.prelu(input: normal, slope: vector("slope", 2))),
      maker.add(.elu(input: normal, scale: vector("elu", 2))),
      maker.add(.clip(input: normal, low: vector("low", 1), high: vector("high", 1))),
    ]
    return maker.finish(outputs: slots.map { OutputPort(name: "\($0)", slot: $0) })
  }

  @Test(arguments: InstructionLevel.available)
  func `a negative square root and a quotient of zeros are refused`(
    level: InstructionLevel
  ) throws {
    var maker = ModelMaker(seed: 1)
    let (x, y) = (maker.input("x", size: 1), maker.input("y", size: 1))
    let quotient = maker.add(.divide(maker.add(.squareRoot(x)), by: y))
    let model = maker.finish(outputs: [OutputPort(name: "z", slot: quotient)])
    var session = Session(try Model(model, options: ModelOptions(level: level)))
    #expect(try session.step([9, 4]) == [0.75])
    for frame in [[-1, 1], [0, 0], [1, 0]] as [[Float]] {
      #expect(throws: StepError.nonFiniteResult) { _ = try session.step(frame) }
    }
    #expect(try session.step([4, -2]) == [-1])
  }
}
