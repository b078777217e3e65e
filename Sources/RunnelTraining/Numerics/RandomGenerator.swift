internal import Runnel

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Random numbers that a list of keys determines: xoshiro256**, started from the keys by SplitMix64.
///
/// Every use has keys of its own (the seed, the purpose, the epoch, the minibatch, …), so no state
/// passes from one use to the next: shards may run in any order, and a resumed run only needs to
/// know where it is.
package struct RandomGenerator: RandomNumberGenerator, Sendable {
  private var generator: Xoshiro256

  /// What random numbers are for; the second key.
  package enum Purpose: UInt64, Sendable {
    case initialisation, split, shuffling, cropping, layers, sampling, measuring, buckets, inputs
    case synthesis
  }

  /// A generator that these keys determine.
  package init(seed: UInt64, purpose: Purpose, keys: UInt64...) {
    var mixed = Xoshiro256.splitMix(seed) ^ purpose.rawValue
    for key in keys { mixed = Xoshiro256.splitMix(mixed) ^ key }
    let first = Xoshiro256.splitMix(mixed)
    let second = Xoshiro256.splitMix(first)
    let third = Xoshiro256.splitMix(second)
    generator = Xoshiro256(state: (first, second, third, Xoshiro256.splitMix(third)))
  }

  package mutating func next() -> UInt64 { generator.next() }

  /// A number from 0 to below 1.
  package mutating func uniform() -> Double { generator.uniform() }

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
