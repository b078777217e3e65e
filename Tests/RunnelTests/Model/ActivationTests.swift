import Glibc
import Runnel
import Testing

/// tanh and sigmoid as operations, over the whole range of Float.
@Suite struct ActivationTests {
  static let width = 4096
  /// A prime, so that all exponents and many fractions occur.
  static let stride: UInt32 = 97

  /// Without FMA, as on x86-64-v2, one more rounding counts.
  private func bound(_ level: InstructionLevel) -> Double { level == .v2 ? 2e-7 : 1.5e-7 }

  @Test(arguments: InstructionLevel.available)
  func `tanh is within 1,5e-7, and within 4 units in the last place`(level: InstructionLevel)
    throws
  {
    var absolute = 0.0
    var ulps = 0.0
    try sweep(.tanh(0), level) { x, y in
      let exact = tanh(Double(x))
      let error = abs(Double(y) - exact)
      absolute = max(absolute, error)
      // Results below the runtime's threshold are zeros.
      if x.magnitude > 0x1p-59 { ulps = max(ulps, error / Double(Float(exact).ulp)) }
    }
    #expect(absolute <= bound(level))
    #expect(ulps <= 4)
  }

  @Test(arguments: InstructionLevel.available)
  func `sigmoid is within 1,5e-7`(level: InstructionLevel) throws {
    var absolute = 0.0
    try sweep(.sigmoid(0), level) { x, y in
      let exact: Double = 1 / (1 + exp(-Double(x)))
      absolute = max(absolute, abs(Double(y) - exact))
    }
    #expect(absolute <= bound(level))
  }

  /// Calls `body` with inputs from the whole range of finite Floats, and what the operation gives.
  private func sweep(
    _ operation: ModelOperation, _ level: InstructionLevel, _ body: (Float, Float) -> Void
  ) throws {
    let description = ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: Self.width)], operations: [operation],
          outputs: [OutputPort(name: "y", slot: 1)])
      ])
    var session = Session(try Model(description, options: ModelOptions(level: level)))
    var frame = [Float](repeating: 0, count: Self.width)
    var prediction = frame
    var bits: UInt32 = 0
    let largest = Float.greatestFiniteMagnitude.bitPattern
    while bits <= largest {
      for index in 0..<Self.width {
        let magnitude = min(bits &+ UInt32(index / 2) * Self.stride, largest)
        frame[index] = Float(bitPattern: magnitude | UInt32(index % 2) << 31)
      }
      var span = prediction.mutableSpan
      try session.step(frame.span, into: &span)
      for index in 0..<Self.width { body(frame[index], prediction[index]) }
      bits += UInt32(Self.width / 2) * Self.stride
    }
  }
}
