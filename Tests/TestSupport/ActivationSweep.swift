import Glibc
package import Runnel

/// The largest errors of the runtime's tanh and sigmoid over many numbers.
package struct ActivationErrors: Sendable {
  /// Of tanh, absolute.
  package var tanh = 0.0
  /// Of tanh, in units in the last place of the exact value.
  package var tanhUlps = 0.0
  /// Of sigmoid, absolute.
  package var sigmoid = 0.0
}

/// The operations tanh and sigmoid, both accuracies of each, number by number against `Double`.
package struct ActivationSweep: ~Copyable {
  /// Half of a frame are numbers, the other half are the same with a minus sign.
  private static let half = 8192
  private var session: Session
  private var frame = [Float](repeating: 0, count: 2 * half)
  /// What the operations give, one behind the other: tanh and sigmoid, exact and then fast.
  private var prediction = [Float](repeating: 0, count: 8 * half)
  private var exact = ActivationErrors()
  private var fast = ActivationErrors()

  private init(_ level: InstructionLevel) throws {
    var operations: [ModelOperation] = [.tanh(0), .sigmoid(0), .tanh(0), .sigmoid(0)]
    operations[2].accuracy = .fast
    operations[3].accuracy = .fast
    let description = ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: 2 * Self.half)], operations: operations,
          outputs: (1...4).map { OutputPort(name: "\($0)", slot: $0) })
      ])
    session = Session(try Model(description, options: ModelOptions(level: level)))
  }

  /// The errors over every `step`-th number of a range of bit patterns, with both signs.
  package static func errors(
    _ magnitudes: ClosedRange<UInt32>, by step: UInt32 = 1, _ level: InstructionLevel
  ) throws -> (exact: ActivationErrors, fast: ActivationErrors) {
    var sweep = try ActivationSweep(level)
    var first = UInt64(magnitudes.lowerBound)
    while first <= UInt64(magnitudes.upperBound) {
      try sweep.measure(from: first, by: UInt64(step), upTo: UInt64(magnitudes.upperBound))
      first += UInt64(half) * UInt64(step)
    }
    return (sweep.exact, sweep.fast)
  }

  /// One frame's worth; the last number again and again where there are fewer.
  private mutating func measure(from first: UInt64, by step: UInt64, upTo last: UInt64) throws {
    for k in 0..<Self.half {
      let x = Float(bitPattern: UInt32(truncatingIfNeeded: min(first + UInt64(k) * step, last)))
      frame[k] = x
      frame[Self.half + k] = -x
    }
    try Self.step(&session, frame, &prediction)
    if frame[0] >= 32 || frame[Self.half - 1] < 0x1p-60, isConstant { return compare(0) }
    for k in 0..<Self.half { compare(k) }
  }

  private static func step(
    _ session: inout Session, _ frame: [Float], _ prediction: inout [Float]
  ) throws {
    var span = prediction.mutableSpan
    try session.step(frame.span, into: &span)
  }

  /// Whether all numbers with the same sign gave the same results, as beyond the ends of the range
  /// in which results change.
  private var isConstant: Bool {
    var differences: UInt32 = 0
    for start in stride(from: 0, to: 8 * Self.half, by: Self.half) {
      let first = prediction[start].bitPattern
      for k in start..<start + Self.half { differences |= prediction[k].bitPattern ^ first }
    }
    return differences == 0
  }

  /// Takes in the errors of a number and of its negative.
  private mutating func compare(_ k: Int) {
    let x = frame[k]
    let (tanh, above, below) = Self.values(Double(x))
    // Below the runtime's threshold results are zeros, and the place of the last bit says nothing.
    let ulp = x > 0x1p-59 ? Double(Float(tanh).ulp) : .infinity
    func take(_ errors: inout ActivationErrors, _ place: Int) {
      let (p, n) = (place + k, place + Self.half + k)
      let error = max(abs(Double(prediction[p]) - tanh), abs(Double(prediction[n]) + tanh))
      errors.tanh = max(errors.tanh, error)
      errors.tanhUlps = max(errors.tanhUlps, error / ulp)
      let up = abs(Double(prediction[p + 2 * Self.half]) - above)
      let down = abs(Double(prediction[n + 2 * Self.half]) - below)
      errors.sigmoid = max(errors.sigmoid, max(up, down))
    }
    take(&exact, 0)
    take(&fast, 4 * Self.half)
  }

  /// tanh x, σ(x) and σ(-x) for x ≥ 0, to within 2e-14, and tanh x to 1e-13 of itself.
  private static func values(_ x: Double) -> (tanh: Double, above: Double, below: Double) {
    if x < 0x1p-10 {
      // The first terms of the series; the next ones are below 2^-53 of them, and of 1/2.
      let y = x * x
      let tail = x * (0.25 - y * (1 / 48.0))
      return (x - x * y * (1 / 3.0 - y * (2 / 15.0)), 0.5 + tail, 0.5 - tail)
    }
    // exp(-32) is 1.3e-14.
    if x >= 32 { return (1, 1, 0) }
    let e = exp(-x)
    let m = expm1(-2 * x)
    return (-m / (2 + m), 1 / (1 + e), e / (1 + e))
  }
}
