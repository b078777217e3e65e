/// A sequence of tokens that a ``BeamSearch`` found.
public struct Hypothesis: Equatable, Sendable, BitwiseCopyable {
  /// The number of tokens, without the one that ends the sequence.
  public let count: Int
  /// The natural logarithm of the probability of all tokens, with the one that ends the sequence.
  public let logProbability: Double
  /// What hypotheses are ranked by: the logarithm divided by the length penalty.
  public let score: Double
  /// Whether the end token ends the sequence; otherwise it has reached the maximum length.
  public let hasEnded: Bool
  /// The beam that chose the last token.
  let beam: Int
}

/// The best hypotheses of a search, the best first.
@safe struct RankedHypotheses: ~Copyable {
  private let hypotheses: FixedMemory<Hypothesis>
  private(set) var count = 0

  init(capacity: Int) {
    let none = Hypothesis(count: 0, logProbability: 0, score: 0, hasEnded: false, beam: 0)
    hypotheses = FixedMemory(repeating: none, count: capacity)
  }

  deinit { unsafe hypotheses.deallocate() }

  @_noAllocation @_noLocks
  mutating func removeAll() { count = 0 }

  /// Puts a hypothesis in its place, behind those of the same score; the worst one goes where there is
  /// no room.
  @_noAllocation @_noLocks
  mutating func insert(_ hypothesis: Hypothesis) {
    if count == hypotheses.count {
      guard hypothesis.score > hypotheses[count &- 1].score else { return }
      count &-= 1
    }
    var place = count
    while place > 0 && hypotheses[place &- 1].score < hypothesis.score {
      hypotheses[place] = hypotheses[place &- 1]
      place &-= 1
    }
    hypotheses[place] = hypothesis
    count &+= 1
  }

  /// The hypothesis behind `rank` better ones.
  subscript(rank: Int) -> Hypothesis { hypotheses[rank] }
}
