internal import CKernelShims

/// A frame of a GRU's forward and backward pass, for some streams; the layers have the equations.
///
/// Gates `[rows, 3 size]`, `hidden` and `output` `[rows, size]`.
package enum GRUPass {
  /// Gates from the input's sums to values, with the recurrent products `[rows, 3 size]`; the reset gate
  /// acts on these.
  package static func forward(
    gates: UnsafeMutablePointer<Float>, recurrent: UnsafePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let sumR = unsafe units.load(gates, 0, of: 3) + units.load(recurrent, 0, of: 3)
      let sumZ = unsafe units.load(gates, 1, of: 3) + units.load(recurrent, 1, of: 3)
      let (r, z) = sigmoids(sumR, sumZ)
      // As in an LSTM: NaN where a sum is not finite.
      let sumN = unsafe rn_fma(
        r, units.load(recurrent, 2, of: 3), units.load(gates, 2, of: 3))
      let n = exactTanh(sumN) + (sumR + sumZ + sumN) * Float(0)
      let h = unsafe rn_fma(z, units.load(hidden) - n, n)
      unsafe units.store(r, gates, 0, of: 3)
      unsafe units.store(z, gates, 1, of: 3)
      unsafe units.store(n, gates, 2, of: 3)
      unsafe units.store(h, hidden)
      unsafe units.store(h, output)
    }
  }

  /// Gates from values to gradients of their sums, `recurrent` to those of the recurrent products, and
  /// `hiddenGradient` from that after the frame to what goes past the products.
  package static func backward(
    gates: UnsafeMutablePointer<Float>, recurrent: UnsafeMutablePointer<Float>,
    previousHidden: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let (r, z) = unsafe (units.load(gates, 0, of: 3), units.load(gates, 1, of: 3))
      let n = unsafe units.load(gates, 2, of: 3)
      let dh = unsafe flush(units.load(hiddenGradient) + units.load(outputGradient))
      let dn = rn_fma(-z, dh, dh) * tanhSlope(n)
      let dz = unsafe dh * (units.load(previousHidden) - n) * sigmoidSlope(z)
      let dr = unsafe dn * units.load(recurrent, 2, of: 3) * sigmoidSlope(r)
      unsafe units.store(dr, gates, 0, of: 3)
      unsafe units.store(dz, gates, 1, of: 3)
      unsafe units.store(dn, gates, 2, of: 3)
      unsafe units.store(dr, recurrent, 0, of: 3)
      unsafe units.store(dz, recurrent, 1, of: 3)
      unsafe units.store(dn * r, recurrent, 2, of: 3)
      unsafe units.store(dh * z, hiddenGradient)
    }
  }

  // MARK: Reset before the product

  /// Reset and update gate from sums to values; and what the candidate's product takes, `r h`.
  package static func reset(
    gates: UnsafeMutablePointer<Float>, hidden: UnsafePointer<Float>,
    resetHidden: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let sums = unsafe (units.load(gates, 0, of: 3), units.load(gates, 1, of: 3))
      let (r, z) = sigmoids(sums.0, sums.1)
      let bad = (sums.0 + sums.1) * Float(0)
      unsafe units.store(r, gates, 0, of: 3)
      unsafe units.store(z + bad, gates, 1, of: 3)
      unsafe units.store(rn_fma(r, units.load(hidden), bad), resetHidden)
    }
  }

  /// The candidate from its sum to its value, and the state.
  package static func update(
    gates: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let n = unsafe exactTanh(units.load(gates, 2, of: 3))
      let h = unsafe rn_fma(units.load(gates, 1, of: 3), units.load(hidden) - n, n)
      unsafe units.store(n, gates, 2, of: 3)
      unsafe units.store(h, hidden)
      unsafe units.store(h, output)
    }
  }

  /// Update gate and candidate from values to gradients of their sums; `hiddenGradient` from that after
  /// the frame to what the update gate lets through.
  package static func updateBackward(
    gates: UnsafeMutablePointer<Float>, previousHidden: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>, rows: Int,
    size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let (z, n) = unsafe (units.load(gates, 1, of: 3), units.load(gates, 2, of: 3))
      let dh = unsafe flush(units.load(hiddenGradient) + units.load(outputGradient))
      let dz = unsafe dh * (units.load(previousHidden) - n) * sigmoidSlope(z)
      unsafe units.store(dz, gates, 1, of: 3)
      unsafe units.store(rn_fma(-z, dh, dh) * tanhSlope(n), gates, 2, of: 3)
      unsafe units.store(dh * z, hiddenGradient)
    }
  }

  /// The reset gate from its value to the gradient of its sum, by that of `r h`, of which
  /// `hiddenGradient` gets its share.
  package static func resetBackward(
    gates: UnsafeMutablePointer<Float>, previousHidden: UnsafePointer<Float>,
    resetGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>, rows: Int,
    size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let r = unsafe units.load(gates, 0, of: 3)
      let ds = unsafe units.load(resetGradient)
      let dr = unsafe ds * units.load(previousHidden) * sigmoidSlope(r)
      unsafe units.store(dr, gates, 0, of: 3)
      unsafe units.store(rn_fma(ds, r, units.load(hiddenGradient)), hiddenGradient)
    }
  }
}
