import CTestSupport
import Runnel
import TestSupport
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
    frame = RandomModels.frames(1, of: model.description.programs[0], seed: 1)
    self.callsSystem = callsSystem
  }

  func run() {
    let frame = frame
    for _ in 0..<100 {
      var span = prediction.mutableSpan
      do { try session.step(frame.span, into: &span) } catch { call_system() }
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

/// A group of streams that C can step.
private final class GroupStepper {
  var group: SessionGroup
  let streams: [Int]
  var predictions: [Float]
  let frames: [Float]

  init(_ model: Model, threads: Int) throws {
    group = SessionGroup(model, capacity: 20, threads: threads)
    var streams: [Int] = []
    for _ in 0..<20 { streams.append(try group.join()) }
    self.streams = streams
    predictions = .init(repeating: 0, count: 20 * model.predictionSize)
    frames = RandomModels.frames(20, of: model.description.programs[0], seed: 1)
  }

  func run() {
    let (frames, streams) = (frames, streams)
    let frameSize = group.model.frameSize
    for round in 0..<20 {
      let count = 20 - round
      var span = predictions.mutableSpan
      do {
        let refused = try group.step(
          streams.span.extracting(round..<20),
          frames: frames.span.extracting(first: count * frameSize), into: &span)
        if refused > 0 { call_system() }
        try group.reset(round)
      } catch { call_system() }
    }
  }
}

@Suite struct RealTimeTests {
  /// Every cell with one and more blocks of units, and every operation that a step can have.
  private let everyModel =
    Cell.allCases.map {
      RandomModels.stack($0, inputSize: 5, hiddenSize: 50, layers: 2, headSize: 3, seed: 1)
    } + [RandomModels.everyOperation(seed: 1), RandomModels.everyThirdFrame(seed: 1)]

  @Test(arguments: InstructionLevel.available)
  func `steps and resets make no system call`(level: InstructionLevel) throws {
    for description in everyModel {
      let model = try Model(description, options: ModelOptions(level: level))
      #expect(Stepper(model, callsSystem: false).runSealed() == 0)
    }
  }

  @Test(arguments: InstructionLevel.available)
  func `groups make no system call`(level: InstructionLevel) throws {
    let forms: [(WeightType, Int)] = [(.float32, 16), (.bfloat16, 16), (.int8, 16), (.int8, 8)]
    for (type, bits) in forms {
      for description in everyModel {
        let model = try Model(
          description.converted(to: type, inputBits: bits), options: ModelOptions(level: level))
        let stepper = try GroupStepper(model, threads: 1)
        let status = unsafe sealed_run(
          { context in
            unsafe Unmanaged<GroupStepper>.fromOpaque(context!).takeUnretainedValue().run()
          }, Unmanaged.passUnretained(stepper).toOpaque())
        #expect(status == 0)
      }
    }
  }

  @Test func `a system call would be noticed`() throws {
    let model = try Model(SmallModels.integrator)
    #expect(Stepper(model, callsSystem: true).runSealed() == 9, "not killed by SIGKILL")
  }

  // Refused steps are left out: the testing library hooks into every throw, and allocates there.
  @Test(.enabled(if: has_realtime_sanitizer() != 0, "RealtimeSanitizer is not linked in"))
  func `RealtimeSanitizer has nothing against steps and resets`() throws {
    for level in InstructionLevel.available {
      for description in everyModel {
        let model = try Model(description, options: ModelOptions(level: level))
        var session = Session(model)
        let frames = RandomModels.frames(1, of: description.programs[0], seed: 1)
        var prediction = [Float](repeating: 0, count: model.predictionSize)
        let frame = frames.span
        var output = prediction.mutableSpan
        enter_realtime()
        try session.step(frame, into: &output)
        try session.step(frame, into: &output)
        exit_realtime()
        enter_realtime()
        session.reset()
        exit_realtime()
      }
    }
  }

  @Test(.enabled(if: has_realtime_sanitizer() != 0, "RealtimeSanitizer is not linked in"))
  func `RealtimeSanitizer would notice an allocation`() async {
    await #expect(processExitsWith: .failure) {
      enter_realtime()
      allocate()
      exit_realtime()
    }
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
