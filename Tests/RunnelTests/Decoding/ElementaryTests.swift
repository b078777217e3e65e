import Foundation
import Runnel
import TestSupport
import Testing

/// Logarithm and exponential against the C library's.
@Suite struct ElementaryTests {
  private static func unitsApart(_ x: Double, _ y: Double) -> Double { abs(x - y) / y.ulp }

  @Test func `logarithms are within 3 units in the last place`() {
    var random = SplitMix64(seed: 1)
    var worst = 0.0
    for _ in 0..<1_000_000 {
      // Any positive normal number, and more of those close to 1.
      let anywhere = Double(bitPattern: random.next() % 0x7fe0_0000_0000_0000 + 0x10_0000_0000_0000)
      let near = 1 + Double(random.uniform(0.5))
      for x in [anywhere, near] where x != 1 {
        worst = max(worst, Self.unitsApart(x.naturalLogarithm, log(x)))
      }
    }
    #expect(worst <= 3)
    #expect((1.0).naturalLogarithm == 0)
  }

  @Test func `exponentials are within 2 units in the last place`() {
    var random = SplitMix64(seed: 1)
    var worst = 0.0
    for _ in 0..<1_000_000 {
      for x in [Double(random.uniform(708)), Double(random.uniform(1))] {
        worst = max(worst, Self.unitsApart(x.exponential, exp(x)))
      }
    }
    #expect(worst <= 2)
    #expect((0.0).exponential == 1)
  }

  @Test func `exponentials beyond what a Double holds are 0 or infinite`() {
    #expect((-708.5).exponential == 0)
    #expect((-Double.infinity).exponential == 0)
    #expect((709.5).exponential == .infinity)
    #expect(Double.infinity.exponential == .infinity)
    #expect(Double.nan.exponential.isNaN)
  }
}
