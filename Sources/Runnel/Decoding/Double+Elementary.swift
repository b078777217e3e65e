// The C library's functions are not for code that promises neither to allocate nor to lock, and differ
// in their last bits from one release to the next. These are additions, multiplications and divisions
// that every CPU rounds alike.
//
// log 2 is in two parts, of which the first has 33 bits, so that its product with a whole number of up
// to 20 bits is exact.

extension Double {
  private static var log2High: Double { 0x1.62e42feep-1 }
  private static var log2Low: Double { 0x1.a39ef35793c76p-33 }

  /// `log(x)` of a normal, positive number, to 3 units in the last place.
  ///
  /// With x = 2^n m and s = (m - 1) / (m + 1), it is the sum of n log 2 and of 2 s + 2/3 s³ + … +
  /// 2/21 s²¹; what is left out is below 1e-17 of that, as |s| is at most 0.172.
  package var naturalLogarithm: Double {
    // m is from √½ to √2.
    let exponent = (Int64(bitPattern: bitPattern) &- 0x3fe6_a09e_667f_3bcd) &>> 52
    let m = Double(bitPattern: UInt64(bitPattern: Int64(bitPattern: bitPattern) &- exponent &<< 52))
    let s = (m - 1) / (m + 1)
    let s2 = s * s
    var series = s2 * (2 / 21) + 2 / 19
    series = series * s2 + 2 / 17
    series = series * s2 + 2 / 15
    series = series * s2 + 2 / 13
    series = series * s2 + 2 / 11
    series = series * s2 + 2 / 9
    series = series * s2 + 2 / 7
    series = series * s2 + 2 / 5
    series = series * s2 + 2 / 3
    let n = Double(exponent)
    return n * Self.log2High + (2 * s + (s * s2 * series + n * Self.log2Low))
  }

  /// `exp(x)`, to 2 units in the last place; 0 below -708, infinite above 709.
  ///
  /// With the whole number n next to x / log 2 and r = x - n log 2, it is 2^n times the sum of r^k / k!
  /// up to k = 13; what is left out is below 1e-17 of that, as |r| is at most 0.347.
  package var exponential: Double {
    guard self >= -708 else { return self < -708 ? 0 : self }
    guard self <= 709 else { return .infinity }
    let shift = 0x1.8p52
    let n = (self * 0x1.71547652b82fep0 + shift) - shift
    let r = (self - n * Self.log2High) - n * Self.log2Low
    var series = r * (1 / 6_227_020_800) + 1 / 479_001_600
    series = series * r + 1 / 39_916_800
    series = series * r + 1 / 3_628_800
    series = series * r + 1 / 362_880
    series = series * r + 1 / 40_320
    series = series * r + 1 / 5_040
    series = series * r + 1 / 720
    series = series * r + 1 / 120
    series = series * r + 1 / 24
    series = series * r + 1 / 6
    series = series * r + 1 / 2
    let power = Double(bitPattern: UInt64(bitPattern: (Int64(n) &+ 1023) &<< 52))
    return power * (1 + (r + r * r * series))
  }
}
