import CTestSupport
import Runnel
import Testing

/// A session that C can step.
private final class Stepper {
  var session: Session
  var prediction: [Float]
  let frame: [Float]
  let callsSystem: Bool

  init(_ model: Model, callsSystem: Bool) {
    session = Session(model)
    prediction = .init(repeating: 0, count: model.predictionSize)
    frame = .init(repeating: 0.5, count: model.frameSize)
    self.callsSystem = callsSystem
  }

  func run() {
    let frame = frame
    for _ in 0..<100 {
      var span = prediction.mutableSpan
      try? session.step(frame.span, into: &span)
    }
    session.reset()
    if callsSystem { call_system() }
  }

  /// Runs in a child that is killed when it makes a system call.
  func runSealed() -> Int32 {
    unsafe sealed_run(
      { context in
        unsafe Unmanaged<Stepper>.fromOpaque(context!).takeUnretainedValue().run()
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}

@Suite struct RealTimeTests {
  @Test(arguments: InstructionLevel.available)
  func `steps and resets make no system call`(level: InstructionLevel) throws {
    let model = try Model(SmallModels.integrator, options: ModelOptions(level: level))
    #expect(Stepper(model, callsSystem: false).runSealed() == 0)
  }

  @Test func `a system call would be noticed`() throws {
    let model = try Model(SmallModels.integrator)
    #expect(Stepper(model, callsSystem: true).runSealed() == 9, "not killed by SIGKILL")
  }

  @Test(arguments: InstructionLevel.available)
  func `a decaying state becomes zero, with the same bits whatever the CPU does with denormals`(
    level: InstructionLevel
  ) throws {
    let model = try Model(
      SmallModels.rnn(.tanh, inputWeight: 1, recurrentWeight: 0.5),
      options: ModelOptions(level: level))
    func stream() throws -> [UInt32] {
      var session = Session(model)
      var bits: [UInt32] = [try session.step([1])[0].bitPattern]
      for frame in 0..<300 {
        // Denormal frames count as silence.
        let silence: Float = frame % 2 == 0 ? 0 : .leastNonzeroMagnitude
        bits.append(try session.step([silence])[0].bitPattern)
      }
      return bits
    }
    let plain = try stream()
    #expect(plain.last == 0)
    #expect(plain.allSatisfy { Float(bitPattern: $0).isNormal || $0 == 0 }, "a denormal state")
    flush_denormals(1)
    defer { flush_denormals(0) }
    #expect(try stream() == plain)
  }

  @Test func `this test's own arithmetic does depend on what the CPU does with denormals`() {
    func halvings() -> UInt32 {
      var x: Float = 1
      for _ in 0..<140 { x = x * one() / 2 }
      return x.bitPattern
    }
    let plain = halvings()
    flush_denormals(1)
    defer { flush_denormals(0) }
    #expect(plain != 0)
    #expect(halvings() != plain)
  }
}

/// A one that the compiler cannot see through.
@inline(never) private func one() -> Float { CommandLine.argc > 0 ? 1 : 2 }
