/// Chooses tokens from probabilities, with a random generator of its own.
///
/// The same seed chooses the same tokens from the same probabilities, on every CPU. The generator is
/// xoshiro256**.
@safe public struct TokenSampler: ~Copyable, @unchecked Sendable {
  // SAFETY (`Sendable`): only the sampler knows its memory, and it cannot be copied.

  /// How tokens are chosen; may change from one to the next.
  public var sampling: TokenSampling
  /// The number of tokens that there are.
  public let tokenCount: Int
  private var generator: Xoshiro256
  private var order: TokenOrder
  /// What tokens are drawn in proportion to.
  private let weights: FixedMemory<Double>

  /// Makes a sampler.
  ///
  /// - Parameters:
  ///   - tokenCount: The number of tokens that there are, at least 1.
  ///   - sampling: How they are chosen.
  ///   - seed: What the random numbers start from.
  /// - Complexity: Allocates 16 bytes for each token.
  public init(tokenCount: Int, sampling: TokenSampling, seed: UInt64 = 0) {
    precondition(tokenCount > 0, "there is at least one token")
    self.sampling = sampling
    self.tokenCount = tokenCount
    generator = Xoshiro256(seed: seed)
    order = TokenOrder(capacity: tokenCount)
    weights = FixedMemory(repeating: 0, count: tokenCount)
  }

  deinit { unsafe weights.deallocate() }

  /// Chooses a token.
  ///
  /// - Parameter probabilities: Of each token, shape `[tokenCount]`; finite. They need not sum to 1.
  ///   Those that are not positive are never drawn; if no other is there, the token is 0.
  /// - Returns: The index of a token.
  /// - Complexity: O(tokenCount), and with top-k or top-p O(tokenCount log tokenCount) at worst. Never
  ///   allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func pick(_ probabilities: Span<Float>) -> Int {
    guard probabilities.count == tokenCount else { fatalError("one probability for each token") }
    let best = Self.mostProbable(probabilities)
    guard sampling.temperature > 0, probabilities[best] > 0 else { return best }
    let scale = WeightScale(sampling.temperature, largest: probabilities[best])
    guard sampling.topK != nil || sampling.topP != nil else {
      return drawFromAll(mass: weighAll(probabilities, scale))
    }
    order.start(probabilities, limit: sampling.topK ?? tokenCount)
    // Top-p's share is one of what top-k leaves.
    var mass = sampling.topK == nil ? weighAll(probabilities, scale) : weighFound(scale)
    var count = order.found
    if let topP = sampling.topP {
      let wanted = topP * mass
      mass = 0
      count = 0
      while mass < wanted && (count < order.found || order.findNext()) {
        mass += weights[order[count].token]
        count &+= 1
      }
    }
    return drawFromMostProbable(count, mass: mass)
  }

  /// The token with the largest probability, the lowest of several; 0 where none is positive.
  @_noAllocation @_noLocks
  private static func mostProbable(_ probabilities: Span<Float>) -> Int {
    var best = 0
    var largest: Float = 0
    var token = 0
    while token < probabilities.count {
      if probabilities[token] > largest {
        largest = probabilities[token]
        best = token
      }
      token &+= 1
    }
    return best
  }

  /// Sets the weights of all tokens, and gives their sum.
  @_noAllocation @_noLocks
  private func weighAll(_ probabilities: Span<Float>, _ scale: WeightScale) -> Double {
    var mass = 0.0
    var token = 0
    while token < tokenCount {
      let weight = scale.weight(probabilities[token])
      weights[token] = weight
      mass += weight
      token &+= 1
    }
    return mass
  }

  /// Finds all tokens in order, sets their weights, and gives the sum.
  @_noAllocation @_noLocks
  private mutating func weighFound(_ scale: WeightScale) -> Double {
    var mass = 0.0
    while order.findNext() {
      let (token, probability) = order.last
      let weight = scale.weight(probability)
      weights[token] = weight
      mass += weight
    }
    return mass
  }

  /// Draws any token, in proportion to its weight.
  @_noAllocation @_noLocks
  private mutating func drawFromAll(mass: Double) -> Int {
    var rest = generator.uniform() * mass
    // Where the roundings of the sum are left over, it is the last one that can be drawn.
    var last = 0
    var token = 0
    while token < tokenCount && rest >= 0 {
      let weight = weights[token]
      if weight > 0 { last = token }
      rest -= weight
      token &+= 1
    }
    return last
  }

  /// Draws one of the first tokens found, in proportion to its weight.
  @_noAllocation @_noLocks
  private mutating func drawFromMostProbable(_ count: Int, mass: Double) -> Int {
    var rest = generator.uniform() * mass
    var last = order[0].token
    var rank = 0
    while rank < count && rest >= 0 {
      let token = order[rank].token
      let weight = weights[token]
      if weight > 0 { last = token }
      rest -= weight
      rank &+= 1
    }
    return last
  }
}

/// What tokens are drawn in proportion to, at some temperature T.
private struct WeightScale {
  private let temperature: Double
  private let largest: Double

  init(_ temperature: Double, largest: Float) {
    self.temperature = temperature
    self.largest = Double(largest).naturalLogarithm
  }

  /// p^(1/T), in proportion: (p / largest)^(1/T), which is at most 1 and does not overflow.
  func weight(_ probability: Float) -> Double {
    guard probability > 0 else { return 0 }
    let probability = Double(probability)
    if temperature == 1 { return probability }
    return ((probability.naturalLogarithm - largest) / temperature).exponential
  }
}
