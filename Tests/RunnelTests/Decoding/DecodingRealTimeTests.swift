import CTestSupport
import Runnel
import TestSupport
import Testing

/// Decoding that C can run.
private final class Decoding {
  var decoder: Decoder
  var search: BeamSearch
  let session: Session
  var tokens = [Int](repeating: 0, count: 30)
  let samplings: [TokenSampling]
  let callsSystem: Bool

  init(_ model: Model, callsSystem: Bool) throws {
    decoder = try Decoder(Session(model), end: 0)
    search = try BeamSearch(model, width: 5, maximumLength: 30, lengthPenalty: 0.6, end: 0)
    session = Session(model)
    samplings = [
      .greedy, try TokenSampling(), try TokenSampling(temperature: 0.5, topK: 4),
      try TokenSampling(temperature: 2, topP: 0.9), try TokenSampling(topK: 7, topP: 0.8),
    ]
    self.callsSystem = callsSystem
  }

  func run() {
    let samplings = samplings
    for index in samplings.indices {
      var span = tokens.mutableSpan
      decoder.sampling = samplings[index]
      do {
        try decoder.append(1)
        _ = try decoder.generate(into: &span)
        _ = try search.search(from: session, first: index, into: &span)
      } catch { call_system() }
      decoder.reset()
    }
    if callsSystem { call_system() }
  }

  /// Runs in a child that is killed when it makes a system call.
  func runSealed() -> Int32 {
    unsafe sealed_run(
      { context in
        unsafe Unmanaged<Decoding>.fromOpaque(context!).takeUnretainedValue().run()
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}

@Suite struct DecodingRealTimeTests {
  private static func model(_ level: InstructionLevel = .best) throws -> Model {
    try Model(
      TokenModels.recurrent(.lstm, tokens: 30, hiddenSize: 20, seed: 1),
      options: ModelOptions(level: level))
  }

  @Test(arguments: InstructionLevel.available)
  func `decoding and searches make no system call`(level: InstructionLevel) throws {
    #expect(try Decoding(Self.model(level), callsSystem: false).runSealed() == 0)
  }

  @Test func `a system call would be noticed`() throws {
    #expect(
      try Decoding(Self.model(), callsSystem: true).runSealed() == 9, "not killed by SIGKILL")
  }

  @Test(.enabled(if: has_realtime_sanitizer() != 0, "RealtimeSanitizer is not linked in"))
  func `RealtimeSanitizer has nothing against decoding and searches`() throws {
    for level in InstructionLevel.available {
      let decoding = try Decoding(Self.model(level), callsSystem: false)
      enter_realtime()
      decoding.run()
      exit_realtime()
    }
  }
}
