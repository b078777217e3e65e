/// Searches for the sequence of tokens that a model finds most probable, with several beams.
///
/// From each beam, a sequence of tokens so far, all tokens lead on to candidates. Of all beams'
/// candidates, the most probable `width` ones that do not end go on as beams. A candidate with the end
/// token is complete if it is among the `width` most probable candidates of all; a beam that has reached
/// the maximum length is complete, too. (Of candidates that are as probable, that of the beam before, and
/// of the lower token, counts as the more probable one.) Width 1 gives what greedy decoding gives, if
/// there is no length penalty.
///
/// Complete sequences are ranked by log P / ((5 + n) / 6)^α, where n counts the tokens, the end token
/// too, and α is the length penalty (Y. Wu et al., "Google's Neural Machine Translation System", 2016,
/// without its coverage penalty); of equal ones, that which was complete first is the better one. Scores
/// of what a beam leads to are at most its log P / ((5 + L) / 6)^α with the maximum length L, as log P
/// only falls: the search stops when no beam's bound is above the best score.
///
/// All beams step together, in one pass over the weights, on a ``SessionGroup`` of the search's own:
///
///     var search = try BeamSearch(model, program: 1, width: 4, maximumLength: 50, end: end)
///     let best = try search.search(from: session, first: end, into: &tokens)
@safe public struct BeamSearch: ~Copyable, @unchecked Sendable {
  // SAFETY (`Sendable`): only the search knows its memory, and it cannot be copied.

  /// The number of beams.
  public let width: Int
  /// The number of tokens, with the one that ends the sequence, that a sequence has at most.
  public let maximumLength: Int
  /// The token that ends sequences, if there is one.
  public let end: Int?
  /// The number of hypotheses that the last search found, at most ``width``.
  public var count: Int { hypotheses.count }
  private let program: TokenProgram
  private var group: SessionGroup
  /// What scores are divided by, for each length.
  private let penalties: FixedMemory<Double>
  /// The beams, the best first, and those of the next step.
  private let beams: FixedMemory<Beam>
  private let nextBeams: FixedMemory<Beam>
  private var candidates: BeamCandidates
  /// Whether a stream of the group has a beam of the next step.
  private let isTaken: FixedMemory<Bool>
  /// The beams' streams, and what these take and give.
  private let streams: FixedMemory<Int>
  private let frames: FixedMemory<Float>
  private let predictions: FixedMemory<Float>
  /// The last token of each beam of each step, and the beam before that it goes on from, shape
  /// `[maximumLength, width]`.
  private let links: FixedMemory<Link>
  /// What is complete.
  private var hypotheses: RankedHypotheses

  /// Makes room for searches.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - program: The index in ``Model/programs`` of the program that takes tokens, as that of a
  ///     ``Decoder``.
  ///   - width: The number of beams, at least 1.
  ///   - maximumLength: The number of tokens that a sequence has at most, with the one that ends it; at
  ///     least 1.
  ///   - lengthPenalty: α, at least 0: the larger, the better are long sequences.
  ///   - end: The token that ends sequences, if there is one.
  /// - Throws: ``DecodingError`` where a number is out of its range, or where the program does not take
  ///   one token and give the probability of each.
  /// - Complexity: Allocates ``Model/groupByteCount(capacity:threads:)`` for `width` streams, 12 bytes
  ///   for each token and beam, 8 for each step and beam, and a few more.
  public init(
    _ model: Model, program: Int = 0, width: Int, maximumLength: Int, lengthPenalty: Double = 0,
    end: Int? = nil
  ) throws(DecodingError) {
    let program = try TokenProgram(model, program: program)
    if let end { try program.check(end) }
    guard width >= 1 else { throw .width(width) }
    guard maximumLength >= 1 else { throw .maximumLength(maximumLength) }
    guard lengthPenalty >= 0, Self.penalty(lengthPenalty, maximumLength).isFinite else {
      throw .lengthPenalty(lengthPenalty)
    }
    self.program = program
    self.width = width
    self.maximumLength = maximumLength
    self.end = end
    group = SessionGroup(model, capacity: width)
    for _ in 0..<width { _ = try! group.join() }
    penalties = FixedMemory(repeating: 1, count: maximumLength + 1)
    for length in 1...maximumLength {
      penalties[length] = Self.penalty(lengthPenalty, length)
    }
    beams = FixedMemory(repeating: Beam(), count: width)
    nextBeams = FixedMemory(repeating: Beam(), count: width)
    candidates = BeamCandidates(width: width, tokenCount: program.tokenCount)
    isTaken = FixedMemory(repeating: false, count: width)
    streams = FixedMemory(repeating: 0, count: width)
    frames = FixedMemory(repeating: 0, count: width * program.frameSize)
    predictions = FixedMemory(repeating: 0, count: width * program.tokenCount)
    links = FixedMemory(repeating: Link(), count: maximumLength * width)
    hypotheses = RankedHypotheses(capacity: width)
    DecodingError.prepare()
  }

  deinit {
    unsafe penalties.deallocate()
    unsafe beams.deallocate()
    unsafe nextBeams.deallocate()
    unsafe isTaken.deallocate()
    unsafe streams.deallocate()
    unsafe frames.deallocate()
    unsafe predictions.deallocate()
    unsafe links.deallocate()
  }

  /// ((5 + n) / 6)^α.
  private static func penalty(_ exponent: Double, _ length: Int) -> Double {
    (exponent * ((5 + Double(length)) / 6).naturalLogarithm).exponential
  }

  /// Searches for the best sequence, and copies its tokens.
  ///
  /// - Parameters:
  ///   - session: The stream, in the state in which it takes the first token. It stays as it is.
  ///   - first: The token that the first step takes, such as the one that ends the sequence before.
  ///   - tokens: Receives the best sequence's tokens; with room for ``maximumLength`` of them.
  /// - Returns: The best hypothesis; its tokens are the first `count` ones.
  /// - Throws: ``DecodingError``. There are then no hypotheses, and `tokens` are as they were.
  /// - Complexity: At most ``maximumLength`` steps of ``width`` streams. Never allocates, locks or calls
  ///   the system.
  @_noAllocation @_noLocks
  public mutating func search(
    from session: borrowing Session, first: Int, into tokens: inout MutableSpan<Int>
  ) throws(DecodingError) -> Hypothesis {
    guard tokens.count >= maximumLength else {
      throw .tokenRoom(expected: maximumLength, actual: tokens.count)
    }
    try search(from: session, first: first)
    return try copyHypothesis(0, into: &tokens)
  }

  /// Searches for the best sequences.
  ///
  /// The best one is that of a search to the end. Those behind it are what was complete when the search
  /// stopped.
  ///
  /// - Parameters:
  ///   - session: The stream, in the state in which it takes the first token. It stays as it is.
  ///   - first: The token that the first step takes.
  /// - Throws: ``DecodingError/tokenOutOfRange(_:count:)``, ``DecodingError/otherModel`` or
  ///   ``DecodingError/step(_:)``. There are then no hypotheses.
  /// - Complexity: At most ``maximumLength`` steps of ``width`` streams. Never allocates, locks or calls
  ///   the system.
  @_noAllocation @_noLocks
  public mutating func search(
    from session: borrowing Session, first: Int
  ) throws(DecodingError) {
    hypotheses.removeAll()
    try program.check(first)
    do throws(GroupError) { try group.copyStates(of: session, to: 0) } catch {
      throw .otherModel
    }
    beams[0] = Beam(stream: 0, token: first)
    var live = 1
    var length = 0
    while live > 0 && length < maximumLength && !isDecided {
      do throws(DecodingError) { try step(live) } catch {
        hypotheses.removeAll()
        throw error
      }
      live = choose(from: live, length: length)
      length &+= 1
      passStates(to: live)
    }
    guard length == maximumLength else { return }
    var beam = 0
    while beam < live {
      complete(
        beam, count: length, steps: length, beams[beam].logProbability, hasEnded: false)
      beam &+= 1
    }
  }

  /// Whether nothing that the best beam leads to can have a better score than what is complete.
  private var isDecided: Bool {
    hypotheses.count > 0
      && hypotheses[0].score >= beams[0].logProbability / penalties[maximumLength]
  }

  /// What the last search found, the best first.
  ///
  /// - Parameter rank: 0 up to ``count``.
  /// - Throws: ``DecodingError/noSuchHypothesis(_:)``.
  @_noAllocation @_noLocks
  public func hypothesis(_ rank: Int) throws(DecodingError) -> Hypothesis {
    guard rank >= 0, rank < hypotheses.count else { throw .noSuchHypothesis(rank) }
    return hypotheses[rank]
  }

  /// Copies the tokens of what the last search found.
  ///
  /// - Parameters:
  ///   - rank: 0 for the best hypothesis, up to ``count``.
  ///   - tokens: Receives the tokens; may have room for more.
  /// - Returns: The hypothesis; its tokens are the first `count` ones.
  /// - Throws: ``DecodingError/noSuchHypothesis(_:)`` or ``DecodingError/tokenRoom(expected:actual:)``.
  /// - Complexity: O(tokens). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks @discardableResult
  public func copyHypothesis(
    _ rank: Int, into tokens: inout MutableSpan<Int>
  ) throws(DecodingError) -> Hypothesis {
    let hypothesis = try hypothesis(rank)
    guard tokens.count >= hypothesis.count else {
      throw .tokenRoom(expected: hypothesis.count, actual: tokens.count)
    }
    var beam = hypothesis.beam
    var place = hypothesis.count
    while place > 0 {
      place &-= 1
      let link = links[place &* width &+ beam]
      tokens[place] = Int(link.token)
      beam = Int(link.parent)
    }
    return hypothesis
  }

  /// Steps the beams' streams with their last tokens.
  @_noAllocation @_noLocks
  private mutating func step(_ live: Int) throws(DecodingError) {
    var beam = 0
    while beam < live {
      streams[beam] = beams[beam].stream
      program.write(beams[beam].token, to: frames, at: beam &* program.frameSize)
      beam &+= 1
    }
    var rows = unsafe predictions.slice(count: live &* program.tokenCount).mutableSpan
    let refused: Int
    do throws(GroupError) {
      refused = try unsafe group.step(
        streams.slice(count: live).span,
        frames: frames.slice(count: live &* program.frameSize).span, into: &rows,
        program: program.index)
    } catch { fatalError("the group is the search's own") }
    beam = 0
    while refused > 0 && beam < live {
      if let refusal = try? group.refusal(of: streams[beam]) { throw .step(refusal) }
      beam &+= 1
    }
  }

  /// Chooses the next step's beams among the candidates, best first, and completes what ends.
  ///
  /// - Parameter length: The number of tokens that the beams have.
  /// - Returns: The number of beams of the next step.
  @_noAllocation @_noLocks
  private mutating func choose(from live: Int, length: Int) -> Int {
    candidates.removeAll()
    var beam = 0
    while beam < live {
      unsafe candidates.append(
        beams[beam].logProbability,
        predictions.slice(from: beam &* program.tokenCount, count: program.tokenCount).span)
      beam &+= 1
    }
    var next = 0
    var rank = 0
    while next < width, let candidate = candidates.removeFirst() {
      if candidate.token != end {
        links[length &* width &+ next] = Link(
          token: UInt32(truncatingIfNeeded: candidate.token),
          parent: UInt32(truncatingIfNeeded: candidate.beam))
        nextBeams[next] = Beam(
          parent: candidate.beam, token: candidate.token,
          logProbability: candidate.logProbability)
        next &+= 1
      } else if rank < width {
        complete(
          candidate.beam, count: length, steps: length &+ 1, candidate.logProbability,
          hasEnded: true)
      }
      rank &+= 1
    }
    return next
  }

  /// Adds what a beam has come to, in so many steps, to the hypotheses.
  @_noAllocation @_noLocks
  private mutating func complete(
    _ beam: Int, count: Int, steps: Int, _ logProbability: Double, hasEnded: Bool
  ) {
    hypotheses.insert(
      Hypothesis(
        count: count, logProbability: logProbability, score: logProbability / penalties[steps],
        hasEnded: hasEnded, beam: beam))
  }

  /// Makes the next step's beams the beams, with the states of those that they go on from.
  ///
  /// A beam's first successor keeps its stream; each further one gets a copy, in a stream whose beam has
  /// no successor, or that had no beam.
  @_noAllocation @_noLocks
  private mutating func passStates(to live: Int) {
    var stream = 0
    while stream < width {
      isTaken[stream] = false
      stream &+= 1
    }
    var beam = 0
    while beam < live {
      let stream = beams[nextBeams[beam].parent].stream
      nextBeams[beam].stream = isTaken[stream] ? Beam.noStream : stream
      isTaken[stream] = true
      beam &+= 1
    }
    stream = 0
    beam = 0
    while beam < live {
      if nextBeams[beam].stream == Beam.noStream {
        while isTaken[stream] { stream &+= 1 }
        isTaken[stream] = true
        do throws(GroupError) {
          try group.copyStates(of: beams[nextBeams[beam].parent].stream, to: stream)
        } catch { fatalError("the group is the search's own") }
        nextBeams[beam].stream = stream
      }
      beam &+= 1
    }
    beam = 0
    while beam < live {
      beams[beam] = nextBeams[beam]
      beam &+= 1
    }
  }
}

/// A sequence of tokens that goes on.
private struct Beam: BitwiseCopyable {
  /// Where the stream has still to be found.
  static var noStream: Int { -1 }

  /// The number of its stream in the group.
  var stream = 0
  /// The beam of the step before that it goes on from.
  var parent = 0
  /// Its last token, which the next step takes.
  var token = 0
  /// The logarithm of the probability of its tokens.
  var logProbability = 0.0
}

/// How a beam came about.
private struct Link: BitwiseCopyable {
  var token: UInt32 = 0
  var parent: UInt32 = 0
}
