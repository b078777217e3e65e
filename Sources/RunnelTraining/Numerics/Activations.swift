// Hyperbolic tangent and sigmoid of many Floats, eight at a time, to 2e-7 absolute.

private typealias Lanes = SIMD8<Float>

extension Float {
  package static func applyTanh(_ values: UnsafeMutablePointer<Float>, count: Int) {
    unsafe apply(values, count) { tanh($0) }
  }

  package static func applySigmoid(_ values: UnsafeMutablePointer<Float>, count: Int) {
    unsafe apply(values, count) { 1 / (1 + exponential(-$0)) }
  }

  /// Cephes' `tanhf`: a polynomial near zero, where `1 - 2 / (exp(2x) + 1)` would cancel.
  @inline(__always)
  private static func tanh(_ x: Lanes) -> Lanes {
    let z = x * x
    var p = z * -5.70498872745e-3 + 2.06390887954e-2
    p = p * z - 5.37397155531e-2
    p = p * z + 1.33314422036e-1
    p = p * z - 3.33332819422e-1
    let near = x + x * z * p
    let far = 1 - 2 / (exponential(x + x) + 1)
    return far.replacing(with: near, where: z .< 0.390625)
  }

  /// Cephes' `expf`, for arguments that are cut at ±87.
  @inline(__always)
  private static func exponential(_ argument: Lanes) -> Lanes {
    var x = argument.replacing(with: 87, where: argument .> 87)
    x = x.replacing(with: -87, where: x .< -87)
    // Adding 1.5 × 2²³ rounds to a whole number, which then stands in the low bits.
    let magic: Float = 12_582_912
    let shifted = x * 1.442695041 + magic
    let n = shifted - magic
    let r = x - n * 0.693359375 + n * 2.12194440e-4
    var p = r * 1.9875691500e-4 + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 5.0000001201e-1
    p = p * r * r + r + 1
    let bits = unsafe unsafeBitCast(shifted, to: SIMD8<Int32>.self)
    let power = (bits &- Int32(bitPattern: magic.bitPattern) &+ 127) &<< 23
    return unsafe p * unsafeBitCast(power, to: Lanes.self)
  }

  @inline(__always)
  private static func apply(
    _ values: UnsafeMutablePointer<Float>, _ count: Int, _ function: (Lanes) -> Lanes
  ) {
    var i = 0
    while i &+ 8 <= count {
      let raw = unsafe UnsafeMutableRawPointer(values + i)
      let lanes = unsafe function(raw.loadUnaligned(as: Lanes.self))
      unsafe raw.storeBytes(of: lanes, as: Lanes.self)
      i &+= 8
    }
    if i < count {
      var rest = Lanes.zero
      for j in 0..<(count &- i) { unsafe rest[j] = values[i &+ j] }
      rest = function(rest)
      for j in 0..<(count &- i) { unsafe values[i &+ j] = rest[j] }
    }
  }
}
