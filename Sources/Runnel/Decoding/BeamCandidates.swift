/// What the beams of a search could go on with: each beam's tokens, from its most probable one on.
@safe struct BeamCandidates: ~Copyable {
  /// A token behind a beam.
  struct Candidate: BitwiseCopyable {
    var beam = 0
    var token = 0
    /// Of the whole sequence, with the token; -∞ where the beam has no more candidates.
    var logProbability = -Double.infinity
  }

  private let width: Int
  private let orders: UnsafeMutablePointer<TokenOrder>
  /// The next candidate of each beam.
  private let heads: FixedMemory<Candidate>
  /// The logarithm of the probability of each beam.
  private let logProbabilities: FixedMemory<Double>
  /// The number of beams.
  private var count = 0

  init(width: Int, tokenCount: Int) {
    self.width = width
    unsafe orders = .allocate(capacity: width)
    for beam in 0..<width {
      unsafe (orders + beam).initialize(to: TokenOrder(capacity: tokenCount))
    }
    heads = FixedMemory(repeating: Candidate(), count: width)
    logProbabilities = FixedMemory(repeating: 0, count: width)
  }

  deinit {
    unsafe orders.deinitialize(count: width)
    unsafe orders.deallocate()
    unsafe heads.deallocate()
    unsafe logProbabilities.deallocate()
  }

  /// Begins a step without beams.
  @_noAllocation @_noLocks
  mutating func removeAll() { count = 0 }

  /// Adds a beam, of at most `width`.
  ///
  /// - Parameters:
  ///   - logProbability: Of its tokens so far.
  ///   - probabilities: Of each token to be the next one.
  @_noAllocation @_noLocks
  mutating func append(_ logProbability: Double, _ probabilities: Span<Float>) {
    let beam = count
    logProbabilities[beam] = logProbability
    // One of them may end the sequence.
    unsafe orders[beam].start(probabilities, limit: width &+ 1)
    findNext(beam)
    count &+= 1
  }

  /// Takes the most probable candidate of all away; of several, that of the first beam.
  @_noAllocation @_noLocks
  mutating func removeFirst() -> Candidate? {
    var best = 0
    var beam = 1
    while beam < count {
      if heads[beam].logProbability > heads[best].logProbability { best = beam }
      beam &+= 1
    }
    let candidate = heads[best]
    guard candidate.logProbability > -.infinity else { return nil }
    findNext(best)
    return candidate
  }

  @_noAllocation @_noLocks
  private func findNext(_ beam: Int) {
    guard unsafe orders[beam].findNext() else {
      heads[beam] = Candidate()
      return
    }
    let (token, probability) = unsafe orders[beam].last
    heads[beam] = Candidate(
      beam: beam, token: token,
      logProbability: logProbabilities[beam] + Double(probability).naturalLogarithm)
  }
}
