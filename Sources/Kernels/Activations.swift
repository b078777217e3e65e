internal import CKernelShims

// tanh and sigmoid by one exponential and one division.
//
//   n = round(x c),  f = x c - n in -1/2...1/2,  2^(x c) = 2^n 2^f = s + s f q(f),  s = 2^n
//
// q is the minimax polynomial of degree 5 for (2^f - 1) / f, relative error 1.1e-8 (found by Remez
// exchange). 2^(x c) ± 1 is q (s f) + (s ± 1): s ± 1 is exact where it matters, so that the
// relative accuracy of small x is kept, and each is one multiply-add behind q.

/// `2^(x c)` in the parts that keep its accuracy near zero.
struct Exponential {
  private var q, sf, s: Vector

  /// - Parameters:
  ///   - x: Limited to `-bound...bound`, where `bound * c` must be below 126.
  ///   - c: The factor in the exponent.
  @inline(always)
  init(_ x: Vector, times c: Float, bound: Float) {
    let x = rn_clamp(x, bound)
    // Adding 1.5 * 2^23 rounds to the nearest integer, which the low bits then hold.
    let shift: Float = 0x1.8p23
    let c = Vector(repeating: c)
    let shifted = rn_fma(x, c, Vector(repeating: shift))
    let f = rn_fma(x, c, shift - shifted)
    let f2 = f * f
    let q01 = rn_fma(f, Vector(repeating: 0.240226497923), Vector(repeating: 0.693147187948))
    let q23 = rn_fma(f, Vector(repeating: 0.00961823770668), Vector(repeating: 0.0555035732939))
    let q45 = rn_fma(f, Vector(repeating: 0.000154035123491), Vector(repeating: 0.00133907913079))
    q = rn_fma(f2, rn_fma(f2, q45, q23), q01)
    s = rn_power_of_two(shifted)
    sf = s * f
  }

  /// `2^(x c)`.
  @inline(always)
  var value: Vector { rn_fma(q, sf, s) }

  /// `2^(x c) + 1`.
  @inline(always)
  var plusOne: Vector { rn_fma(q, sf, s + 1) }

  /// `2^(x c) - 1`.
  @inline(always)
  var minusOne: Vector { rn_fma(q, sf, s - 1) }
}

/// `1 + exp(-x)`, the denominator of the sigmoid of x.
///
/// x is limited to -40...40, where the sigmoid is within 5e-18 of 0 or 1, so that products of two
/// denominators stay far from overflow.
@inline(always)
func sigmoidDenominator(_ x: Vector) -> Vector {
  Exponential(x, times: -1.44269504089, bound: 40).plusOne
}

/// `exp(2x) - 1` and `exp(2x) + 1`, whose quotient is tanh x.
///
/// x is limited to -10...10, where tanh is 1 in the last bit.
struct TanhFraction {
  var numerator: Vector
  var denominator: Vector

  @inline(always)
  init(_ x: Vector) {
    let exponential = Exponential(x, times: 2.88539008178, bound: 10)
    numerator = exponential.minusOne
    denominator = exponential.plusOne
  }
}

@inline(always)
func sigmoid(_ x: Vector) -> Vector { 1 / sigmoidDenominator(x) }

@inline(always)
func tanh(_ x: Vector) -> Vector {
  let fraction = TanhFraction(x)
  return fraction.numerator / fraction.denominator
}

/// `exp(x)` for x up to 0; below -80 it is exp(-80), 1.8e-35, so that no factor is denormal.
@inline(always)
func exponential(_ x: Vector) -> Vector {
  Exponential(x, times: 1.44269504089, bound: 80).value
}

@inline(always)
func flush(_ x: Vector) -> Vector { rn_flush(x, leastMagnitude) }
