import Runnel
import TestSupport
import Testing

@Suite struct BeamSearchTests {
  private typealias Found = ReferenceBeamSearch.Found

  /// What a search finds, the best first.
  private static func found(_ search: borrowing BeamSearch) throws -> [Found] {
    var found: [Found] = []
    for rank in 0..<search.count {
      var tokens = [Int](repeating: -1, count: search.maximumLength)
      var span = tokens.mutableSpan
      let hypothesis = try search.copyHypothesis(rank, into: &span)
      found.append(
        Found(
          tokens: Array(tokens[..<hypothesis.count]), score: hypothesis.score,
          hasEnded: hypothesis.hasEnded))
    }
    return found
  }

  /// The same search as the reference's, from the start of a session.
  private static func found(_ reference: ReferenceBeamSearch) throws -> [Found] {
    var search = try BeamSearch(
      reference.model, program: reference.program, width: reference.width,
      maximumLength: reference.maximumLength, lengthPenalty: reference.lengthPenalty,
      end: reference.end)
    var session = Session(reference.model)
    for frame in reference.prefix { _ = try session.step(frame) }
    try search.search(from: session, first: reference.first)
    return try found(search)
  }

  /// Whether the sequences are the same, with scores that differ by roundings at most.
  private static func agree(_ some: [Found], _ others: [Found]) -> Bool {
    some.count == others.count
      && zip(some, others).allSatisfy { a, b in
        a.tokens == b.tokens && a.hasEnded == b.hasEnded && abs(a.score - b.score) < 1e-12
      }
  }

  @Test(arguments: [(3, 5), (4, 4)], [0, 0.6, 2])
  func `with room for all sequences, the best of all is found`(
    size: (tokens: Int, length: Int), lengthPenalty: Double
  ) throws {
    var lengths: Set<Int> = []
    for seed in 0..<4 as Range<UInt64> {
      let description = TokenModels.recurrent(tokens: size.tokens, sharpness: 1.5, seed: seed)
      let width = (0..<size.length).reduce(1) { product, _ in product * size.tokens }
      for end in [0, nil] {
        let reference = ReferenceBeamSearch(
          model: try Model(description), first: 1, width: width, maximumLength: size.length,
          lengthPenalty: lengthPenalty, end: end)
        let all = try reference.enumerateAll()
        let found = try Self.found(reference)
        #expect(Self.agree([found[0]], [all[0]]))
        // Without an end nothing is complete before the end of the search.
        if end == nil { #expect(Self.agree(found, all)) }
        lengths.insert(found[0].tokens.count)
      }
    }
    #expect(lengths.count > 1)
  }

  @Test func `a narrow search may miss the best sequence`() throws {
    // 1 is the more probable first token, but everything behind it is improbable.
    let reference = ReferenceBeamSearch(
      model: try Model(
        TokenModels.table([[-9, 0.1, 0], [0, 0, 0], [9, 0, 0]])), first: 0, width: 1,
      maximumLength: 2, lengthPenalty: 0, end: nil)
    #expect(try Self.found(reference)[0].tokens == [1, 0])
    #expect(try reference.enumerateAll()[0].tokens == [2, 0])
  }

  @Test(arguments: Cell.allCases, InstructionLevel.available)
  func `searches of every width find what a search that starts each beam anew finds`(
    cell: Cell, level: InstructionLevel
  ) throws {
    var ended = 0
    for (seed, tokens) in [(1, 3), (2, 7), (3, 20), (4, 5)] as [(UInt64, Int)] {
      let model = try Model(
        TokenModels.recurrent(
          cell, tokens: tokens, isIndex: seed % 2 == 0, sharpness: 1.5, seed: seed),
        options: ModelOptions(level: level))
      for width in [1, 2, 3, 6] {
        for lengthPenalty in [0, 0.7] {
          var reference = ReferenceBeamSearch(
            model: model, first: 0, width: width, maximumLength: 8,
            lengthPenalty: lengthPenalty, end: 2)
          let expected = try reference.search()
          let found = try Self.found(reference)
          #expect(Self.agree(found, expected), "\(tokens) tokens, width \(width)")
          reference.stopsEarly = false
          #expect(Self.agree([found[0]], [try reference.search()[0]]))
          ended += found[0].hasEnded ? 1 : 0
        }
      }
    }
    #expect(ended > 3)
  }

  @Test func `beams with the states of others would be noticed`() throws {
    var different = 0
    for seed in 0..<10 as Range<UInt64> {
      var reference = ReferenceBeamSearch(
        model: try Model(TokenModels.recurrent(tokens: 7, sharpness: 1.5, seed: seed)), first: 0,
        width: 3, maximumLength: 8, lengthPenalty: 0.7, end: 2)
      let expected = try reference.search()
      reference.passesStates = false
      if !Self.agree(try reference.search(), expected) { different += 1 }
    }
    #expect(different > 2)
  }

  @Test func `width 1 without a length penalty finds what greedy decoding gives`() throws {
    var ended = 0
    for seed in 0..<20 as Range<UInt64> {
      let model = try Model(TokenModels.recurrent(tokens: 6, seed: seed))
      var decoder = try Decoder(Session(model), end: 5)
      try decoder.append(seed % 2 == 0 ? 5 : 1)
      var greedy = [Int](repeating: -1, count: 12)
      var span = greedy.mutableSpan
      let count = try decoder.generate(into: &span)
      var search = try BeamSearch(model, width: 1, maximumLength: 12, end: 5)
      var tokens = [Int](repeating: -1, count: 12)
      span = tokens.mutableSpan
      let best = try search.search(
        from: Session(model), first: seed % 2 == 0 ? 5 : 1, into: &span)
      #expect(best.count == count)
      #expect(tokens == greedy)
      #expect(best.hasEnded == decoder.hasEnded)
      ended += best.hasEnded ? 1 : 0
    }
    #expect(ended > 3)
    #expect(ended < 20)
  }

  @Test func `a search starts from the state that another program left`() throws {
    let model = try Model(TokenModels.encoderDecoder(tokens: 9, seed: 2))
    var best: Set<[Int]> = []
    for image in [[0.5, -1], [-1, 0.75], [1, 1]] as [[Float]] {
      let reference = ReferenceBeamSearch(
        model: model, program: 1, prefix: [image], first: 8, width: 3, maximumLength: 10,
        lengthPenalty: 1, end: 8)
      let expected = try reference.search()
      #expect(Self.agree(try Self.found(reference), expected))
      best.insert(expected[0].tokens)
    }
    #expect(best.count > 1, "the images make no difference")
  }

  @Test func `a search leaves the session as it was, and can be made again`() throws {
    let model = try Model(TokenModels.recurrent(.lstm, tokens: 6, seed: 4))
    var search = try BeamSearch(model, width: 4, maximumLength: 10, end: 0)
    var session = Session(model)
    var untouched = Session(model)
    for token in [3, 1, 5] as [Float] {
      _ = try session.step([token])
      _ = try untouched.step([token])
      try search.search(from: session, first: 2)
      let found = try Self.found(search)
      try search.search(from: Session(model), first: 0)
      try search.search(from: session, first: 2)
      #expect(try Self.found(search) == found)
    }
    #expect(try session.step([2]) == untouched.step([2]))
  }

  @Test func `levels with FMA find the same sequences, with the same scores in every bit`()
    throws
  {
    let description = TokenModels.recurrent(tokens: 40, hiddenSize: 50, seed: 7)
    var all: [[Found]] = []
    for level in InstructionLevel.available where level > .v2 {
      let reference = ReferenceBeamSearch(
        model: try Model(description, options: ModelOptions(level: level)), first: 0, width: 5,
        maximumLength: 20, lengthPenalty: 0.6, end: 3)
      all.append(try Self.found(reference))
    }
    #expect(all.allSatisfy { $0 == all[0] })
  }

  @Test func `of sequences that are as probable, the lower tokens come first`() throws {
    let reference = ReferenceBeamSearch(
      model: try Model(TokenModels.table(.init(repeating: [0, 0, 0], count: 3))), first: 2,
      width: 4, maximumLength: 3, lengthPenalty: 0, end: nil)
    let tokens = try Self.found(reference).map(\.tokens)
    #expect(tokens == [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 0]])
  }

  @Test func `a length penalty makes longer sequences better`() throws {
    // 0 ends; 1 follows itself with the probability 0.6.
    let model = try Model(TokenModels.table([[-0.405465, 0], [-0.405465, 0]]))
    func lengths(_ penalty: Double) throws -> [Int] {
      try Self.found(
        ReferenceBeamSearch(
          model: model, first: 0, width: 2, maximumLength: 6, lengthPenalty: penalty, end: 0)
      ).map(\.tokens.count)
    }
    #expect(try lengths(0)[0] == 0)
    #expect(try lengths(5)[0] == 6)
  }

  @Test func `a token of probability 0 is never part of a sequence`() throws {
    // e^-100 counts as 0 in a softmax.
    let model = try Model(
      TokenModels.table([[-100, 0, -100], [-100, -100, 0], [0, -100, -100]]))
    let reference = ReferenceBeamSearch(
      model: model, first: 0, width: 5, maximumLength: 9, lengthPenalty: 0, end: 0)
    let found = try Self.found(reference)
    #expect(found == [Found(tokens: [1, 2], score: 0, hasEnded: true)])
  }

  @Test func `what has no room or no place in its range is refused`() throws {
    let model = try Model(TokenModels.recurrent(tokens: 3, seed: 1))
    #expect(throws: DecodingError.width(0)) {
      _ = try BeamSearch(model, width: 0, maximumLength: 1)
    }
    #expect(throws: DecodingError.maximumLength(0)) {
      _ = try BeamSearch(model, width: 1, maximumLength: 0)
    }
    for penalty in [-0.1, .infinity, 1e6] {
      #expect(throws: DecodingError.lengthPenalty(penalty)) {
        _ = try BeamSearch(model, width: 1, maximumLength: 9, lengthPenalty: penalty)
      }
    }
    #expect(throws: DecodingError.self) {
      _ = try BeamSearch(model, width: 1, maximumLength: 9, lengthPenalty: .nan)
    }
    #expect(throws: DecodingError.tokenOutOfRange(3, count: 3)) {
      _ = try BeamSearch(model, width: 1, maximumLength: 1, end: 3)
    }
    #expect(throws: DecodingError.noSuchProgram(1)) {
      _ = try BeamSearch(model, program: 1, width: 1, maximumLength: 1)
    }
    #expect(throws: DecodingError.notProbabilities) {
      let other = try Model(RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 3, seed: 1))
      _ = try BeamSearch(other, width: 1, maximumLength: 1)
    }
    var search = try BeamSearch(model, width: 2, maximumLength: 4)
    #expect(throws: DecodingError.noSuchHypothesis(0)) { _ = try search.hypothesis(0) }
    #expect(throws: DecodingError.tokenOutOfRange(-1, count: 3)) {
      try search.search(from: Session(model), first: -1)
    }
    #expect(throws: DecodingError.otherModel) {
      try search.search(from: Session(Model(model.description)), first: 0)
    }
    var tokens = [7, 7, 7]
    var span = tokens.mutableSpan
    #expect(throws: DecodingError.tokenRoom(expected: 4, actual: 3)) {
      _ = try search.search(from: Session(model), first: 0, into: &span)
    }
    try search.search(from: Session(model), first: 0)
    #expect(throws: DecodingError.tokenRoom(expected: 4, actual: 3)) {
      try search.copyHypothesis(0, into: &span)
    }
    for rank in [-1, 2] {
      #expect(throws: DecodingError.noSuchHypothesis(rank)) { _ = try search.hypothesis(rank) }
    }
    #expect(tokens == [7, 7, 7])
  }

  @Test func `a refused step ends a search without hypotheses, and harms nothing`() throws {
    let model = try Model(TokenModels.overflowing)
    var search = try BeamSearch(model, width: 3, maximumLength: 5)
    try search.search(from: Session(model), first: 1)
    let found = try Self.found(search)
    #expect(found.count == 3)
    var session = Session(model)
    _ = try session.step([3])
    #expect(throws: DecodingError.step(.nonFiniteResult)) {
      try search.search(from: session, first: 3)
    }
    #expect(search.count == 0)
    var sum: [Float] = [0]
    var span = sum.mutableSpan
    session.copyState(0, into: &span)
    #expect(sum == [2e38])
    try search.search(from: Session(model), first: 1)
    #expect(try Self.found(search) == found)
  }
}
