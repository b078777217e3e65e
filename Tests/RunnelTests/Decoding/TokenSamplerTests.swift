import Foundation
import Runnel
import TestSupport
import Testing

@Suite struct TokenSamplerTests {
  /// What each token's frequency should be, straight from the definitions.
  private static func expected(_ probabilities: [Float], _ sampling: TokenSampling) -> [Double] {
    var weights = probabilities.map { pow(Double($0), 1 / sampling.temperature) }
    var order = weights.indices.sorted {
      (probabilities[$0], -$0) > (probabilities[$1], -$1)
    }
    if let k = sampling.topK { order = Array(order.prefix(k)) }
    if let p = sampling.topP {
      let wanted = p * order.reduce(0) { $0 + weights[$1] }
      var mass = 0.0
      order = Array(
        order.prefix { token in
          defer { mass += weights[token] }
          return mass < wanted
        })
    }
    for token in weights.indices where !order.contains(token) { weights[token] = 0 }
    let mass = weights.reduce(0, +)
    return weights.map { $0 / mass }
  }

  private static func counts(
    _ probabilities: [Float], _ sampling: TokenSampling, seed: UInt64, draws: Int
  ) -> [Int] {
    var sampler = TokenSampler(
      tokenCount: probabilities.count, sampling: sampling, seed: seed)
    var counts = probabilities.map { _ in 0 }
    for _ in 0..<draws { counts[sampler.pick(probabilities.span)] += 1 }
    return counts
  }

  /// Pearson's statistic in standard deviations above its mean; infinite where a token was drawn
  /// that should never be.
  private static func surprise(_ counts: [Int], _ expected: [Double]) -> Double {
    let draws = Double(counts.reduce(0, +))
    var (statistic, freedom) = (0.0, -1.0)
    for (count, share) in zip(counts, expected) {
      guard share > 0 else {
        if count > 0 { return .infinity }
        continue
      }
      statistic += pow(Double(count) - draws * share, 2) / (draws * share)
      freedom += 1
    }
    return freedom < 1 ? 0 : (statistic - freedom) / sqrt(2 * freedom)
  }

  /// From even to very uneven ones, with ties and zeros.
  private static let distributions: [[Float]] = [
    [0.25, 0.25, 0.25, 0.25], [0.5, 0, 0.125, 0.25, 0.125], [0.01, 0.9, 0.04, 0.02, 0.03],
    [1], [0, 1, 0],
    [
      0.04, 0.11, 0.02, 0.08, 0.05, 0.09, 0.11, 0.07, 0.03, 0.1, 0.06, 0.01, 0.08, 0.02, 0.04,
      0.03, 0.06,
    ],
  ]

  @Test(
    arguments: [0.25, 0.7, 1, 1.5, 4],
    [(nil, nil), (1, nil), (3, nil), (100, nil), (nil, 0.3), (nil, 0.8), (nil, 1), (4, 0.6)]
      as [(Int?, Double?)])
  func `tokens are drawn as often as the definitions say`(
    temperature: Double, filter: (topK: Int?, topP: Double?)
  ) throws {
    let sampling = try TokenSampling(
      temperature: temperature, topK: filter.topK, topP: filter.topP)
    for probabilities in Self.distributions {
      let counts = Self.counts(probabilities, sampling, seed: 7, draws: 40_000)
      // Of 240 such statistics, one in a run of a thousand would be as large as this.
      #expect(Self.surprise(counts, Self.expected(probabilities, sampling)) < 6)
    }
  }

  @Test func `frequencies of another temperature would be noticed`() throws {
    let probabilities = Self.distributions[5]
    let counts = Self.counts(
      probabilities, try TokenSampling(temperature: 1.1), seed: 7, draws: 40_000)
    #expect(Self.surprise(counts, Self.expected(probabilities, try TokenSampling())) > 6)
  }

  @Test func `temperature 0 takes the most probable token, the first of several`() throws {
    for sampling in [.greedy, try TokenSampling(temperature: 0, topK: 3, topP: 0.5)] {
      var sampler = TokenSampler(tokenCount: 5, sampling: sampling)
      let probabilities: [Float] = [0.1, 0.3, 0.2, 0.3, 0.1]
      #expect((0..<100).allSatisfy { _ in sampler.pick(probabilities.span) == 1 })
    }
  }

  @Test func `a temperature close to 0 takes only the most probable token`() throws {
    let probabilities: [Float] = [0.3, 0.301, 0.2, 0.199]
    for temperature in [1e-5, 1e-100, .leastNonzeroMagnitude] {
      let counts = Self.counts(
        probabilities, try TokenSampling(temperature: temperature), seed: 1, draws: 100)
      #expect(counts == [0, 100, 0, 0])
    }
  }

  @Test func `a high temperature draws all but impossible tokens evenly`() throws {
    let probabilities: [Float] = [0.999, 0, 0.001]
    let counts = Self.counts(
      probabilities, try TokenSampling(temperature: 1e300), seed: 1, draws: 40_000)
    #expect(Self.surprise(counts, [0.5, 0, 0.5]) < 6)
  }

  @Test(arguments: [0.5, 1, 3])
  func `one token of the most probable ones, or a small share of them, is the most probable one`(
    temperature: Double
  ) throws {
    let samplings = [
      try TokenSampling(temperature: temperature, topK: 1),
      try TokenSampling(temperature: temperature, topP: 1e-9),
      try TokenSampling(temperature: temperature, topP: .leastNonzeroMagnitude),
    ]
    for sampling in samplings {
      let counts = Self.counts([0.2, 0.4, 0.4], sampling, seed: 1, draws: 100)
      #expect(counts == [0, 100, 0])
    }
  }

  @Test func `of tokens that are as probable, top-k keeps those with lower indices`() throws {
    let counts = Self.counts(
      [0.125, 0.25, 0.125, 0.25, 0.25], try TokenSampling(topK: 4), seed: 1, draws: 1_000)
    #expect(counts[2] == 0)
    #expect(counts[0] > 0)
  }

  @Test func `top-p keeps exactly as many tokens as reach the share`() throws {
    let cases = [
      (0.5, 1), (0.5 + 1e-9, 2), (0.75, 2), (0.875, 3), (0.876, 4), (0.9376, 5), (1, 5),
    ]
    for (share, kept) in cases {
      let counts = Self.counts(
        [0.0625, 0.0625, 0.125, 0.25, 0.5], try TokenSampling(topP: share), seed: 1,
        draws: 10_000)
      #expect(counts.filter { $0 > 0 }.count == kept)
    }
  }

  @Test func `top-p takes its share of what the temperature and top-k have left`() throws {
    // Of the three that stay, 0.4 is 4 in 9; with temperature 1/2 their weights are 16, 9 and 4.
    let probabilities: [Float] = [0.4, 0.3, 0.2, 0.1]
    var counts = Self.counts(
      probabilities, try TokenSampling(topK: 3, topP: 0.44), seed: 1, draws: 1_000)
    #expect(counts == [1_000, 0, 0, 0])
    counts = Self.counts(
      probabilities, try TokenSampling(topK: 3, topP: 0.45), seed: 1, draws: 1_000)
    #expect(counts.filter { $0 > 0 }.count == 2)
    counts = Self.counts(
      probabilities, try TokenSampling(temperature: 0.5, topK: 3, topP: 0.55), seed: 1,
      draws: 1_000)
    #expect(counts == [1_000, 0, 0, 0])
  }

  @Test func `numbers that are not positive are never drawn`() throws {
    for sampling in [
      .greedy, try TokenSampling(), try TokenSampling(temperature: 2, topK: 5),
      try TokenSampling(topP: 0.9),
    ] {
      let counts = Self.counts([-1, 0, .nan, 0.5, -0], sampling, seed: 1, draws: 100)
      #expect(counts == [0, 0, 0, 100, 0])
      #expect(Self.counts([-1, .nan], sampling, seed: 1, draws: 100) == [100, 0])
    }
  }

  @Test func `the same seed draws the same tokens, another seed others`() throws {
    func tokens(seed: UInt64) throws -> [Int] {
      var sampler = TokenSampler(tokenCount: 17, sampling: try TokenSampling(), seed: seed)
      let probabilities = Self.distributions[5]
      return (0..<100).map { _ in sampler.pick(probabilities.span) }
    }
    #expect(try tokens(seed: 3) == tokens(seed: 3))
    #expect(try tokens(seed: 3) != tokens(seed: 4))
  }

  @Test func `sampling that makes no sense is refused`() throws {
    for temperature in [-0.1, .infinity] {
      #expect(throws: DecodingError.temperature(temperature)) {
        try TokenSampling(temperature: temperature)
      }
    }
    #expect(throws: DecodingError.self) { try TokenSampling(temperature: .nan) }
    for topK in [0, -1] {
      #expect(throws: DecodingError.topK(topK)) { try TokenSampling(topK: topK) }
    }
    for topP in [0, -0.5, 1.01] {
      #expect(throws: DecodingError.topP(topP)) { try TokenSampling(topP: topP) }
    }
    #expect(throws: DecodingError.self) { try TokenSampling(topP: .nan) }
  }

  @Test func `probabilities of another number of tokens end the process`() async {
    await #expect(processExitsWith: .failure) {
      var sampler = TokenSampler(tokenCount: 3, sampling: .greedy)
      let probabilities: [Float] = [0.5, 0.5]
      _ = sampler.pick(probabilities.span)
    }
  }
}
