internal import CKernelShims

// tanh and sigmoid as fractions, so that cells can join their divisions. A step of a small cell takes
// as long as the chain of its operations: polynomials are in Estrin's form, and factors of a
// denominator enter beside the polynomial, not behind it.
//
// Exact, by one exponential:
//
//   n = round(x c),  f = x c - n in -1/2...1/2,  2^(x c) = 2^n 2^f = s + s f q(f),  s = 2^n
//
// q is the minimax polynomial of degree 5 for (2^f - 1) / f, relative error 1.1e-8 (found by Remez
// exchange). In 2^(x c) ± 1 = q (s f) + (s ± 1), s ± 1 is exact where it matters, so that the
// relative accuracy of small x is kept.
//
// Fast: tanh x = x P(x²) / Q(x²) and sigmoid x = 1/2 + tanh(x / 2) / 2, with polynomials of degree 2,
// absolute error 4.8e-5 up to the bound of 5 (found by Lawson's iteration).
//
// Infinity and NaN count as the largest numbers here; whoever must know of them looks at the sums.

/// A number as the quotient of two.
struct Fraction {
  var numerator, denominator: Vector

  @inline(always)
  var value: Vector { numerator / denominator }
}

/// A gate's sigmoid as a fraction, with the numerator of what is left to 1.
struct Gate {
  var numerator, complement, denominator: Vector

  @inline(always)
  var value: Vector { numerator / denominator }
}

/// How accurately tanh and the gates' sigmoid are computed.
protocol Accuracy {
  /// `sigmoid(x)`; the denominator is 1/2 to 2^41.
  func sigmoid(_ x: Vector) -> Gate
  /// `tanh(x)`, with a factor of the denominator, which is 1 to 2^30 without it.
  func tanh(_ x: Vector, _ factor: Vector) -> Fraction
}

extension Accuracy {
  @inline(always)
  func tanh(_ x: Vector) -> Fraction { tanh(x, Vector(repeating: 1)) }
}

/// `c0 + c1 y`.
@inline(always)
private func line(_ c0: Float, _ c1: Float, _ y: Vector) -> Vector {
  rn_fma(y, Vector(repeating: c1), Vector(repeating: c0))
}

/// `2^(x c)` in parts: s, f, and q(f) = low + f² high.
private struct Exponential {
  private let s, f, f2, low, high: Vector

  @inline(always)
  init(_ x: Vector, times c: Float) {
    // Adding 1.5 * 2^23 rounds to the nearest integer, which the low bits then hold.
    let shift: Float = 0x1.8p23
    let c = Vector(repeating: c)
    let shifted = rn_fma(x, c, Vector(repeating: shift))
    f = rn_fma(x, c, shift - shifted)
    s = rn_power_of_two(shifted)
    f2 = f * f
    low = line(0.693147187948, 0.240226497923, f)
    high = rn_fma(
      f2, line(0.00133907913079, 0.000154035123491, f), line(0.0555035732939, 0.00961823770668, f))
  }

  /// `(2^(x c) + a) factor`, for `aFactor` = `a factor`.
  @inline(always)
  func plus(_ aFactor: Vector, times factor: Vector) -> Vector {
    let s = s * factor
    let sf = s * f
    return rn_fma(sf * f2, high, rn_fma(sf, low, s + aFactor))
  }

  /// `2^(x c) + a`.
  @inline(always)
  func plus(_ a: Float) -> Vector {
    plus(Vector(repeating: a), times: Vector(repeating: 1))
  }
}

/// The default: absolute error at most 1.5e-7, and of tanh at most 4 units in the last place.
struct Exact: Accuracy {
  /// x is limited to -27...27, where the sigmoid is within 2e-12 of 0 or 1, so that products of
  /// denominators stay far from overflow.
  @inline(always)
  func sigmoid(_ x: Vector) -> Gate {
    let e = Exponential(rn_limit(x, 27), times: -1.44269504089)
    return Gate(
      numerator: Vector(repeating: 1), complement: e.plus(0), denominator: e.plus(1))
  }

  /// x is limited to -10...10, where tanh is 1 in the last bit.
  ///
  /// `e^(2x) = 2^n e^(2r) = s + 2 s r + s r² q(r)` with r = x - n ln 2 / 2, which is x itself for a
  /// small x: the first two terms are then exact, and the third one is small.
  @inline(always)
  func tanh(_ x: Vector, _ factor: Vector) -> Fraction {
    let x = rn_limit(x, 10)
    let shift: Float = 0x1.8p23
    let shifted = rn_fma(x, Vector(repeating: 2.88539008178), Vector(repeating: shift))
    let r = rn_fma(shifted - shift, Vector(repeating: -0.346573590280), x)
    let s = rn_power_of_two(shifted)
    let r2 = r * r
    let low = line(1.9999999, 1.3333205, r)
    let high = line(0.6666742, 0.2678113, r)
    let q = rn_fma(r2 * r2, Vector(repeating: 0.08888879), rn_fma(r2, high, low))
    let t = s * factor
    let two = Vector(repeating: 2)
    return Fraction(
      numerator: rn_fma(s * r2, q, rn_fma(s * r, two, s - 1)),
      denominator: rn_fma(t * r2, q, rn_fma(t * r, two, t + factor)))
  }
}

/// Absolute error at most 5e-5.
struct Fast: Accuracy {
  @inline(always)
  func sigmoid(_ x: Vector) -> Gate {
    let x = rn_limit(x, 10)
    let y = square(x)
    let p = rn_fma(
      y, line(0.101723165 / 16, 0.000654944575 / 64, y), Vector(repeating: 0.999810144 / 4))
    let q = rn_fma(y, line(0.43450409 / 4, 0.01263919 / 16, y), Vector(repeating: 1))
    let half = Vector(repeating: 0.5)
    return Gate(
      numerator: rn_fma(p, x, q * half), complement: rn_fma(-p, x, q * half), denominator: q)
  }

  @inline(always)
  func tanh(_ x: Vector, _ factor: Vector) -> Fraction {
    let x = rn_limit(x, 5)
    let y = square(x)
    let p = rn_fma(y, line(0.101723165, 0.000654944575, y), Vector(repeating: 0.999810144))
    let q = rn_fma(y, line(0.43450409, 0.01263919, y), Vector(repeating: 1))
    return Fraction(numerator: p * x, denominator: q * factor)
  }

  /// `x²`, and a bit that no result can tell, so that it is never denormal.
  @inline(always)
  private func square(_ x: Vector) -> Vector { rn_fma(x, x, Vector(repeating: 0x1p-40)) }
}

/// `exp(x)` for x in -80...80; below -80 it is exp(-80), 1.8e-35, so that no factor is denormal.
@inline(always)
func exponential(_ x: Vector) -> Vector {
  Exponential(rn_clamp(x, 80), times: 1.44269504089).plus(0)
}

/// `1 / (1 + exp(-x))`, for results: small ones keep their relative accuracy.
@inline(always)
func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

@inline(always)
func flush(_ x: Vector) -> Vector { rn_flush(x, leastMagnitude) }
