/// A small seeded generator, so that a test that fails can be run again with its seed.
///
/// G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
package struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  /// A generator that gives the same numbers for the same seed.
  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A number from `-bound ..< bound`.
  package mutating func uniform(_ bound: Float) -> Float {
    // 24 random bits, so that every value is exact.
    (Float(next() >> 40) / 8_388_608 - 1) * bound
  }

  /// An index from `0 ..< count`.
  package mutating func index(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}
