/// How the next token is chosen from the probabilities that a model gives.
///
/// What is set applies in this order:
///
/// 1. The temperature T: each probability p becomes p^(1/T), in proportion.
/// 2. Top-k: only the k most probable tokens stay (A. Fan, M. Lewis and Y. Dauphin, "Hierarchical
///    Neural Story Generation", 2018).
/// 3. Top-p, of what stayed: only the smallest set of most probable tokens stays that together have at
///    least the share p of the probability (A. Holtzman et al., "The Curious Case of Neural Text
///    Degeneration", 2020).
///
/// One of the tokens that are left is drawn, in proportion. Of tokens that are as probable as each
/// other, the lower index counts as the more probable one, so that sets have exactly the sizes that
/// these definitions give.
public struct TokenSampling: Equatable, Sendable {
  /// 0 takes the most probable token, 1 draws as the model says, more draws more evenly.
  public let temperature: Double
  /// How many tokens stay at most; all where it is `nil`.
  public let topK: Int?
  /// The share of the probability that stays at least; all of it where it is `nil`.
  public let topP: Double?

  /// Always the most probable token, and of several the one with the lowest index.
  public static var greedy: TokenSampling { TokenSampling() }

  private init() {
    temperature = 0
    topK = nil
    topP = nil
  }

  /// Says how tokens are chosen.
  ///
  /// - Parameters:
  ///   - temperature: Finite, at least 0.
  ///   - topK: At least 1.
  ///   - topP: More than 0, at most 1.
  /// - Throws: ``DecodingError/temperature(_:)``, ``DecodingError/topK(_:)`` or
  ///   ``DecodingError/topP(_:)``.
  public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil)
    throws(DecodingError)
  {
    guard temperature >= 0, temperature.isFinite else { throw .temperature(temperature) }
    if let topK, topK < 1 { throw .topK(topK) }
    if let topP, !(topP > 0 && topP <= 1) { throw .topP(topP) }
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }
}
