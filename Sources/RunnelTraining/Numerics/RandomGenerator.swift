#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Random numbers that a list of keys determines: xoshiro256** (Blackman and Vigna, 2018), started
/// from the keys by SplitMix64.
///
/// Every use has keys of its own (the seed, the purpose, the epoch, the minibatch, …), so no state
/// passes from one use to the next: shards may run in any order, and a resumed run only needs to
/// know where it is.
package struct RandomGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// What random numbers are for; the second key.
  package enum Purpose: UInt64, Sendable {
    case initialisation, split, shuffling, cropping, layers, sampling, measuring
  }

  /// A generator that these keys determine.
  package init(seed: UInt64, purpose: Purpose, keys: UInt64...) {
    var mixed = Self.mixed(seed) ^ purpose.rawValue
    for key in keys { mixed = Self.mixed(mixed) ^ key }
    state = (0, 0, 0, 0)
    state.0 = Self.mixed(mixed)
    state.1 = Self.mixed(state.0)
    state.2 = Self.mixed(state.1)
    state.3 = Self.mixed(state.2)
  }

  /// One step of SplitMix64.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  package mutating func next() -> UInt64 {
    let product = state.1 &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = (state.3 << 45) | (state.3 >> 19)
    return result
  }

  /// A number from 0 to below 1.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number from the normal distribution with mean 0 and deviation 1 (Box and Muller, 1958).
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A whole number from `0 ..< bound`.
  package mutating func index(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }
}
