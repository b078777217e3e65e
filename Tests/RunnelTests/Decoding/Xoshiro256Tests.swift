import Runnel
import Testing

@Suite struct Xoshiro256Tests {
  @Test func `the numbers from the state 1, 2, 3, 4 are those of the authors' program`() {
    // Worked out by hand from rotl(s1 · 5, 7) · 9: 2 · 5 · 2^7 · 9, then s1 is 0.
    var generator = Xoshiro256(state: (1, 2, 3, 4))
    #expect(generator.next() == 11_520)
    #expect(generator.next() == 0)
    #expect(generator.next() == 1_509_978_240)
    #expect(generator.next() == 1_215_971_899_390_074_240)
  }

  @Test func `a seed's state is what SplitMix64 gives`() {
    // The first numbers from the seed 1234567 of S. Vigna's splitmix64.c.
    #expect(Xoshiro256.splitMix(1_234_567) == 6_457_827_717_110_365_317)
    #expect(
      Xoshiro256.splitMix(1_234_567 &+ 0x9e37_79b9_7f4a_7c15) == 3_203_168_211_198_807_973)
  }

  @Test func `uniform numbers are in 0 ..< 1 and have its mean and variance`() {
    var generator = Xoshiro256(seed: 1)
    let numbers = (0..<100_000).map { _ in generator.uniform() }
    #expect(numbers.allSatisfy { 0 <= $0 && $0 < 1 })
    let mean = numbers.reduce(0, +) / 100_000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
    // Five standard deviations of each.
    #expect(abs(mean - 0.5) < 5 * 0.000913)
    #expect(abs(variance - 1.0 / 12) < 5 * 0.000236)
  }
}
