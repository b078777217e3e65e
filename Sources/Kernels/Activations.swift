internal import CKernelShims

// tanh and sigmoid as fractions, so that cells can join their divisions. A step of a small cell takes
// as long as the chain of its operations, a larger one as long as their number: polynomials are in
// Estrin's form, and a denominator comes from its numerator where that is as accurate.
//
// Exact, by one exponential:
//
//   2^t = s p(f),  s = 2^n,  n = round(t),  f = t - n in -1/2...1/2
//
// p is the minimax polynomial of degree 5 with p(0) = 1 + 2^-23, relative error 1.2e-7 (found by Remez
// exchange). tanh needs more near 0, and has its own form.
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

/// `2^(x c)` in parts: s p(f).
private struct Exponential {
  private let s, p: Vector

  @inline(always)
  init(_ x: Vector, times c: Float) {
    let t = x * c
    let f = rn_remainder(t)
    s = rn_power_of_two(t - f)
    let f2 = f * f
    let high = line(0.009684677185, 0.001365022613, f)
    p = rn_fma(
      f2, rn_fma(f2, high, line(0.2402192111, 0.05549711065, f)),
      line(1.00000012, 0.6931474448, f))
  }

  @inline(always)
  var value: Vector { s * p }

  /// `2^(x c) + 1`.
  @inline(always)
  var plusOne: Vector { rn_fma(s, p, Vector(repeating: 1)) }
}

/// The default: absolute error at most 1.5e-7, and of tanh at most 4 units in the last place.
struct Exact: Accuracy {
  /// x is limited to -27...27, where the sigmoid is within 2e-12 of 0 or 1, so that products of
  /// denominators stay far from overflow.
  @inline(always)
  func sigmoid(_ x: Vector) -> Gate {
    let e = Exponential(rn_limit(x, 27), times: -1.44269504089)
    return Gate(
      numerator: Vector(repeating: 1), complement: e.value, denominator: e.plusOne)
  }

  /// `tanh |x| = (e^(2|x|) - 1) / (e^(2|x|) + 1)`; |x| is limited to 10, where tanh is 1 in the last
  /// bit.
  ///
  /// `e^(2|x|) = s e^(2r) = s + 2 s r + s r² q(r)` with r = |x| - n ln 2 / 2, which is |x| itself for a
  /// small x: the first two terms are then exact, and the third one is small.
  @inline(always)
  func tanh(_ x: Vector, _ factor: Vector) -> Fraction {
    let magnitude = rn_limited_magnitude(x, 10)
    let shift: Float = 0x1.8p23
    let n = rn_fma(magnitude, Vector(repeating: 2.88539008178), Vector(repeating: shift)) - shift
    let r = rn_fma(n, Vector(repeating: -0.346573590280), magnitude)
    let r2 = r * r
    let low = line(1.9999999, 1.3333205, r)
    let high = line(0.6666742, 0.2678113, r)
    let q = rn_fma(r2, rn_fma(r2, Vector(repeating: 0.08888879), high), low)
    let s = rn_power_of_two(n)
    let two = Vector(repeating: 2)
    let numerator = rn_fma(s * r2, q, rn_fma(s * r, two, s - 1))
    return Fraction(
      numerator: rn_with_sign(numerator, x),
      denominator: rn_fma(numerator, factor, factor * two))
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
  Exponential(rn_clamp(x, 80), times: 1.44269504089).value
}

/// `1 / (1 + exp(-x))`, for results: small ones keep their relative accuracy.
@inline(always)
func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

/// `log(1 + exp(x))`, as `max(x, 0) + log(1 + u)` with `u = exp(-|x|)`.
///
/// The logarithm is u times a polynomial of degree 8, absolute error 1.7e-8 (found by Lawson's
/// iteration).
@inline(always)
func softplus(_ x: Vector) -> Vector {
  let u = exponential(-rn_magnitude(x))
  let u2 = u * u
  let u4 = u2 * u2
  let low = rn_fma(u2, line(0.33289668, -0.24672683, u), line(0.99999934, -0.49997094, u))
  let high = rn_fma(u2, line(0.068084396, -0.023855293, u), line(0.18569802, -0.1269086, u))
  let p = rn_fma(u4, rn_fma(u4, Vector(repeating: 0.003930419), high), low)
  return rn_fma(u, p, rn_relu(x))
}

/// `x Φ(x)`, as `max(x, 0) - |x| erfc(|x| / √2) / 2`.
///
/// erfc has an absolute error of 1.5e-7.
@inline(always)
func gelu(_ x: Vector) -> Vector {
  let magnitude = rn_magnitude(x)
  let t = 1 / rn_fma(magnitude, Vector(repeating: 0.3275911 * 0.70710678), Vector(repeating: 1))
  let half = t * magnitude * exponential(x * x * Float(-0.5)) * Float(0.5)
  return rn_relu(x) - errorPolynomial(t) * half
}

/// What stands behind `t exp(-x²)` in `erfc(x)`, for `t = 1 / (1 + 0.3275911 x)`, by formula 7.1.26 of
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, absolute error 1.5e-7.
@inline(always)
private func errorPolynomial(_ t: Vector) -> Vector {
  let low = line(0.254829592, -0.284496736, t)
  let high = line(1.421413741, -1.453152027, t)
  let t2 = t * t
  return rn_fma(t2, rn_fma(t2, Vector(repeating: 1.061405429), high), low)
}

/// log 2 in two parts, of which the first one has few bits, so that a whole number times it is exact.
@inline(always) private var logarithmOfTwo: (high: Float, low: Float) {
  (0.693145752, 1.42860677e-6)
}

/// `exp(x)` for all x, infinite where no `Float` holds it: 2^n exp(x - n log 2).
///
/// 2^n is in two factors, of which each is a normal `Float`.
@inline(always)
func wholeExponential(_ x: Vector) -> Vector {
  let x = rn_clamp(x, 89)
  let shift: Float = 0x1.8p23
  let n = rn_fma(x, Vector(repeating: 1.44269504089), Vector(repeating: shift)) - shift
  let high = rn_fma(n, Vector(repeating: -logarithmOfTwo.high), x)
  let rest = rn_fma(n, Vector(repeating: -logarithmOfTwo.low), high)
  let half = rn_fma(n, Vector(repeating: 0.5), Vector(repeating: shift)) - shift
  return exponential(rest) * rn_power_of_two(half) * rn_power_of_two(n - half)
}

/// `log(x)`: with x = 2^n m and s = (m - 1) / (m + 1), the sum of n log 2 and of 2 s + 2/3 s³ + … + 2/9 s⁹.
@inline(always)
func logarithm(_ x: Vector) -> Vector {
  let n = rn_exponent(x)
  let m = rn_mantissa(x)
  let s = (m - 1) / (m + 1)
  let s2 = s * s
  let high = rn_fma(s2, line(0.285714286, 0.222222222, s2), Vector(repeating: 0.4))
  let series = rn_fma(s2, rn_fma(s2, high, Vector(repeating: 0.666666667)), Vector(repeating: 2))
  let rest = rn_fma(n, Vector(repeating: logarithmOfTwo.low), s * series)
  return rn_logarithm_or_limit(rn_fma(n, Vector(repeating: logarithmOfTwo.high), rest), x)
}

/// `erf(x)`, absolute error 1.5e-7.
@inline(always)
func errorFunction(_ x: Vector) -> Vector {
  let magnitude = rn_magnitude(x)
  let t = 1 / rn_fma(magnitude, Vector(repeating: 0.3275911), Vector(repeating: 1))
  return rn_with_sign(rn_relu(1 - t * errorPolynomial(t) * exponential(-x * x)), x)
}

@inline(always)
func flush(_ x: Vector) -> Vector { rn_flush(x, leastMagnitude) }
