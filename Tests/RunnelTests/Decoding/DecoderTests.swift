import Runnel
import TestSupport
import Testing

@Suite struct DecoderTests {
  /// The tokens that a session gives when each step's most probable token goes back in.
  private static func greedy(
    _ session: inout Session, program: Int = 0, from first: Int, end: Int? = nil, count: Int
  ) throws -> [Int] {
    var tokens: [Int] = []
    var token = first
    while tokens.count < count {
      let probabilities = try session.step(
        frame(session.model, token, program: program), program: program)
      token = probabilities.indices.max { (probabilities[$0], -$0) < (probabilities[$1], -$1) }!
      if token == end { break }
      tokens.append(token)
    }
    return tokens
  }

  private static func frame(_ model: Model, _ token: Int, program: Int = 0) -> [Float] {
    let port = model.programs[program].inputs[0]
    if port.indexLimit != nil { return [Float(token)] }
    return port.range.map { $0 == token ? 1 : 0 }
  }

  private static func tokens(_ decoder: inout Decoder, room: Int) throws -> [Int] {
    var tokens = [Int](repeating: -1, count: room)
    var span = tokens.mutableSpan
    let count = try decoder.generate(into: &span)
    return Array(tokens[..<count])
  }

  @Test(arguments: InstructionLevel.available, [true, false])
  func `greedy decoding feeds the most probable token back, as an index or a vector`(
    level: InstructionLevel, isIndex: Bool
  ) throws {
    var mostTokens = 0
    for seed in 0..<5 as Range<UInt64> {
      let model = try Model(
        TokenModels.recurrent(tokens: 11, isIndex: isIndex, seed: seed),
        options: ModelOptions(level: level))
      var session = Session(model)
      let expected = try Self.greedy(&session, from: 3, count: 50)
      var decoder = try Decoder(Session(model))
      try decoder.append(3)
      #expect(try Self.tokens(&decoder, room: 50) == expected)
      mostTokens = max(mostTokens, Set(expected).count)
    }
    #expect(mostTokens > 2)
  }

  @Test func `a prompt is read token by token before the first is chosen`() throws {
    let model = try Model(TokenModels.recurrent(tokens: 7, seed: 1))
    var session = Session(model)
    for token in [5, 0, 6] { _ = try session.step([Float(token)]) }
    let expected = try Self.greedy(&session, from: 2, count: 20)
    var decoder = try Decoder(Session(model))
    for token in [5, 0, 6, 2] { try decoder.append(token) }
    #expect(try Self.tokens(&decoder, room: 20) == expected)
  }

  @Test func `decoding goes on from the state that another program left`() throws {
    let model = try Model(TokenModels.encoderDecoder(tokens: 9, seed: 2))
    var found: Set<[Int]> = []
    for image in [[0.5, -1], [-1, 0.75], [1, 1]] as [[Float]] {
      var session = Session(model)
      _ = try session.step(image)
      let expected = try Self.greedy(&session, program: 1, from: 4, count: 10)
      var encoded = Session(model)
      _ = try encoded.step(image)
      var before = try Decoder(encoded, program: 1)
      try before.append(4)
      #expect(try Self.tokens(&before, room: 10) == expected)
      // The decoder's own session, after a reset.
      before.reset()
      var state = [Float](repeating: 0, count: model.predictionSize)
      var span = state.mutableSpan
      try before.session.step(image.span, into: &span)
      try before.append(4)
      #expect(try Self.tokens(&before, room: 10) == expected)
      found.insert(expected)
    }
    #expect(found.count > 1, "the images make no difference")
  }

  /// 1 follows 0, 2 follows 1, 0 follows 2: the others are improbable.
  private static let cycle = TokenModels.table([[0, 9, 0], [0, 0, 9], [9, 0, 0]])

  @Test func `the end token ends the sequence and is not given`() throws {
    var decoder = try Decoder(Session(Model(Self.cycle)), end: 2)
    try decoder.append(0)
    #expect(try decoder.next() == 1)
    #expect(decoder.hasEnded == false)
    #expect(try decoder.next() == nil)
    #expect(decoder.hasEnded == true)
    #expect(try decoder.next() == nil)
    #expect(try Self.tokens(&decoder, room: 5) == [])
  }

  @Test func `without an end token the sequence goes on`() throws {
    var decoder = try Decoder(Session(Model(Self.cycle)))
    try decoder.append(0)
    #expect(try Self.tokens(&decoder, room: 5) == [1, 2, 0, 1, 2])
    #expect(decoder.hasEnded == false)
    #expect(try Self.tokens(&decoder, room: 2) == [0, 1])
  }

  @Test func `generating ends early where the sequence does`() throws {
    var decoder = try Decoder(Session(Model(Self.cycle)), end: 0)
    try decoder.append(0)
    #expect(try Self.tokens(&decoder, room: 5) == [1, 2])
    #expect(decoder.hasEnded == true)
    // The end token, which starts the next sequence, is read with the token behind it.
    try decoder.append(1)
    #expect(decoder.hasEnded == false)
    #expect(try Self.tokens(&decoder, room: 5) == [2])
  }

  @Test func `a token behind the end is read behind the end token`() throws {
    var compared = 0
    for seed in 0..<20 as Range<UInt64> {
      let model = try Model(TokenModels.recurrent(tokens: 4, seed: seed))
      var session = Session(model)
      let tokens = try Self.greedy(&session, from: 0, count: 10)
      guard let end = tokens.first(where: { $0 != tokens[0] }) else { continue }
      session.reset()
      _ = try Self.greedy(&session, from: 0, end: end, count: 10)
      _ = try session.step([Float(end)])
      let expected = try Self.greedy(&session, from: 1, end: end, count: 10)
      var decoder = try Decoder(Session(model), end: end)
      try decoder.append(0)
      _ = try Self.tokens(&decoder, room: 10)
      try decoder.append(1)
      #expect(try Self.tokens(&decoder, room: 10) == expected)
      compared += 1
    }
    #expect(compared > 3)
  }

  @Test func `a sampled sequence is that of a sampler with the same seed`() throws {
    let model = try Model(TokenModels.recurrent(tokens: 12, seed: 3))
    let sampling = try TokenSampling(temperature: 1.3, topK: 6, topP: 0.95)
    var session = Session(model)
    var sampler = TokenSampler(tokenCount: 12, sampling: sampling, seed: 99)
    var expected = [0]
    for _ in 0..<100 {
      let probabilities = try session.step([Float(expected.last!)])
      expected.append(sampler.pick(probabilities.span))
    }
    var decoder = try Decoder(Session(model), sampling: sampling, seed: 99)
    try decoder.append(0)
    #expect(try Self.tokens(&decoder, room: 100) == Array(expected[1...]))
    #expect(Set(expected).count > 3)
  }

  @Test func `sampling may change between tokens`() throws {
    var decoder = try Decoder(
      Session(Model(TokenModels.table([[0, 0.1], [0.1, 0]]))),
      sampling: TokenSampling(temperature: 10), seed: 1)
    try decoder.append(0)
    let drawn = try Self.tokens(&decoder, room: 100)
    decoder.sampling = .greedy
    let greedy = try Self.tokens(&decoder, room: 100)
    #expect(zip(drawn, drawn.dropFirst()).contains { $0 == $1 })
    #expect(zip(greedy, greedy.dropFirst()).allSatisfy { $0 != $1 })
  }

  @Test func `the probabilities that a token was chosen from can be read`() throws {
    let model = try Model(TokenModels.recurrent(tokens: 5, seed: 3))
    var session = Session(model)
    var decoder = try Decoder(Session(model))
    #expect((0..<5).allSatisfy { decoder.probability(of: $0) == 0 })
    try decoder.append(2)
    _ = try decoder.next()
    let expected = try session.step([2])
    #expect((0..<5).map { decoder.probability(of: $0) } == expected)
  }

  @Test func `levels with FMA choose the same tokens`() throws {
    var found: [[Int]] = []
    for level in InstructionLevel.available where level > .v2 {
      let model = try Model(
        TokenModels.recurrent(tokens: 30, hiddenSize: 40, seed: 3),
        options: ModelOptions(level: level))
      var decoder = try Decoder(
        Session(model), sampling: TokenSampling(temperature: 1.2, topP: 0.9), seed: 5)
      try decoder.append(0)
      found.append(try Self.tokens(&decoder, room: 500))
    }
    #expect(Set(found).count <= 1)
  }

  @Test func `the first token must be there before one is chosen`() throws {
    var decoder = try Decoder(Session(Model(Self.cycle)))
    #expect(throws: DecodingError.noFirstToken) { _ = try decoder.next() }
    try decoder.append(1)
    #expect(try decoder.next() == 2)
    decoder.reset()
    #expect(throws: DecodingError.noFirstToken) { _ = try decoder.next() }
  }

  @Test func `a token that does not exist is refused, and the sequence stays as it was`() throws {
    var decoder = try Decoder(Session(Model(Self.cycle)))
    try decoder.append(1)
    for token in [3, -1, .max] {
      #expect(throws: DecodingError.tokenOutOfRange(token, count: 3)) {
        try decoder.append(token)
      }
    }
    #expect(try decoder.next() == 2)
    #expect(throws: DecodingError.tokenOutOfRange(3, count: 3)) {
      _ = try Decoder(Session(Model(Self.cycle)), end: 3)
    }
  }

  @Test func `a refused step leaves the decoder and its session as they were`() throws {
    let model = try Model(TokenModels.overflowing)
    var decoder = try Decoder(Session(model))
    try decoder.append(3)
    // The sum is 2e38 with the first 3; a second one is too much.
    try decoder.append(3)
    var before: [Float] = [0]
    var span = before.mutableSpan
    decoder.session.copyState(0, into: &span)
    #expect(throws: DecodingError.step(.nonFiniteResult)) { _ = try decoder.next() }
    #expect(throws: DecodingError.step(.nonFiniteResult)) { try decoder.append(0) }
    var after: [Float] = [0]
    span = after.mutableSpan
    decoder.session.copyState(0, into: &span)
    #expect(before == [2e38])
    #expect(after == before)
  }

  @Test func `a program that takes no token or gives no probabilities is refused`() throws {
    func refusal(_ description: ModelDescription, program: Int = 0) throws -> DecodingError? {
      let model = try Model(description)
      do throws(DecodingError) {
        _ = try Decoder(Session(model), program: program)
        return nil
      } catch { return error }
    }
    let model = TokenModels.recurrent(tokens: 3, seed: 1)
    #expect(try refusal(model) == nil)
    #expect(try refusal(model, program: 1) == .noSuchProgram(1))
    #expect(try refusal(model, program: -1) == .noSuchProgram(-1))
    #expect(
      try refusal(RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 3, seed: 1))
        == .notProbabilities)
    #expect(try refusal(RandomModels.everyOperation(seed: 1)) == .severalInputs(2))
    #expect(try refusal(RandomModels.bothDirections(seed: 1)) == .needsWholeSequence)
    #expect(try refusal(RandomModels.everyThirdFrame(seed: 1)) == .skipsFrames)
    var twice = model
    twice.programs[0].outputs += twice.programs[0].outputs
    #expect(try refusal(twice) == .severalOutputs(2))
    var wider = TokenModels.table([[0, 1, 2], [0, 1, 2], [0, 1, 2]])
    wider.tensors[0] = TensorDescription(name: "table", shape: [2, 3], values: [0, 1, 2, 0, 1, 2])
    wider.programs[0].inputs[0].size = 2
    #expect(try refusal(wider) == .tokenCounts(taken: 2, given: 3))
    var passed = TokenModels.recurrent(tokens: 3, isIndex: false, seed: 1)
    passed.programs[0].outputs[0].slot = 0
    #expect(try refusal(passed) == .notProbabilities)
  }
}
