import Runnel
import TestSupport
import Testing

/// tanh and sigmoid as operations, over every finite Float.
///
/// The best level is tested with every number, the others, whose instructions round in the same way
/// or, without FMA, once more, with every 61st.
@Suite struct ActivationTests {
  /// The bit patterns of the finite magnitudes in 51 pieces of five exponents each, which run side by
  /// side.
  static let pieces: [ClosedRange<UInt32>] = (0..<51).map { piece in
    let first = UInt32(5 * piece) << 23
    return first...first + 5 << 23 - 1
  }

  /// A prime, so that all exponents and many fractions occur.
  static let prime: UInt32 = 61

  @Test func `the pieces are all finite magnitudes`() {
    #expect(Self.pieces.first?.lowerBound == 0)
    #expect(Self.pieces.last?.upperBound == Float.greatestFiniteMagnitude.bitPattern)
    for (piece, next) in zip(Self.pieces, Self.pieces.dropFirst()) {
      #expect(piece.upperBound + 1 == next.lowerBound)
    }
  }

  @Test(arguments: pieces)
  func `every finite number is within the bounds on the best level`(
    piece: ClosedRange<UInt32>
  ) throws {
    try expectBounds(try ActivationSweep.errors(piece, .best), .best)
  }

  @Test(arguments: InstructionLevel.available.dropLast())
  func `numbers from the whole range are within the bounds on the other levels`(
    level: InstructionLevel
  ) throws {
    let all = Self.pieces.first!.lowerBound...Self.pieces.last!.upperBound
    try expectBounds(try ActivationSweep.errors(all, by: Self.prime, level), level)
  }

  private func expectBounds(
    _ errors: (exact: ActivationErrors, fast: ActivationErrors), _ level: InstructionLevel
  ) throws {
    // Without FMA, as on x86-64-v2, one more rounding counts.
    let bound = level == .v2 ? 2e-7 : 1.5e-7
    #expect(errors.exact.tanh <= bound, "\(level)")
    #expect(errors.exact.tanhUlps <= 4, "\(level)")
    #expect(errors.exact.sigmoid <= bound, "\(level)")
    #expect(errors.fast.tanh <= 5e-5, "\(level)")
    #expect(errors.fast.sigmoid <= 5e-5, "\(level)")
  }

  @Test(arguments: InstructionLevel.available)
  func `errors are seen, and the fast class is another one`(level: InstructionLevel) throws {
    let all = Self.pieces.first!.lowerBound...Self.pieces.last!.upperBound
    let errors = try ActivationSweep.errors(all, by: 9973, level)
    #expect(errors.exact.tanh > 5e-8 && errors.exact.tanhUlps > 1 && errors.exact.sigmoid > 5e-8)
    #expect(errors.fast.tanh > 4e-5 && errors.fast.sigmoid > 2e-5)
  }
}
