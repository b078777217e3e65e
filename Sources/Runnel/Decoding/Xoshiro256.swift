/// Random numbers: xoshiro256** 1.0.
///
/// D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM Transactions on
/// Mathematical Software 47, 2021. The period is 2^256 - 1.
package struct Xoshiro256: Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// A generator in this state, of which a word must not be 0.
  package init(state: (UInt64, UInt64, UInt64, UInt64)) { self.state = state }

  /// A generator that a seed determines: its state is the numbers that SplitMix64 gives from there
  /// on, as the paper recommends.
  package init(seed: UInt64) {
    let step: UInt64 = 0x9e37_79b9_7f4a_7c15
    state = (
      Self.splitMix(seed), Self.splitMix(seed &+ step), Self.splitMix(seed &+ 2 &* step),
      Self.splitMix(seed &+ 3 &* step)
    )
  }

  /// What SplitMix64 gives in a state.
  ///
  /// G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
  package static func splitMix(_ state: UInt64) -> UInt64 {
    var z = state &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }

  /// The next 64 random bits.
  @_noAllocation @_noLocks
  package mutating func next() -> UInt64 {
    let product = state.1 &* 5
    let result = ((product &<< 7) | (product &>> 57)) &* 9
    let shifted = state.1 &<< 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = (state.3 &<< 45) | (state.3 &>> 19)
    return result
  }

  /// A multiple of 2^-53 from 0 to below 1, each as probable as the others.
  @_noAllocation @_noLocks
  package mutating func uniform() -> Double { Double(next() &>> 11) * 0x1p-53 }
}
