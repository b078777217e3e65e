internal import CKernelShims

/// A frame of an LSTM's forward and backward pass, for some streams; the layer has the equations.
package enum LSTMPass {
  /// Gates `[rows, 4 size]` from sums to values; `cell`, `hidden` and `output` `[rows, size]`.
  package static func forward(
    gates: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>,
    cellTanh: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>, rows: Int, size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let sums = unsafe (
        units.load(gates, 0, of: 4), units.load(gates, 1, of: 4), units.load(gates, 2, of: 4),
        units.load(gates, 3, of: 4)
      )
      let (i, f) = sigmoids(sums.0, sums.1)
      let (g, o) = tanhAndSigmoid(sums.2, sums.3)
      // Sums that are not finite make the state, and so the loss, NaN: the run has diverged.
      let bad = (sums.0 + sums.1 + sums.2 + sums.3) * Float(0)
      let c = unsafe rn_fma(f, units.load(cell), rn_fma(i, g, bad))
      let squashed = exactTanh(c)
      let h = o * squashed
      unsafe units.store(i, gates, 0, of: 4)
      unsafe units.store(f, gates, 1, of: 4)
      unsafe units.store(g, gates, 2, of: 4)
      unsafe units.store(o, gates, 3, of: 4)
      unsafe units.store(c, cell)
      unsafe units.store(squashed, cellTanh)
      unsafe units.store(h, hidden)
      unsafe units.store(h, output)
    }
  }

  /// Gates from values to gradients of their sums; `cellGradient` and `hiddenGradient` from those after
  /// the frame to that before it and to 0.
  package static func backward(
    gates: UnsafeMutablePointer<Float>, previousCell: UnsafePointer<Float>,
    cellTanh: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, cellGradient: UnsafeMutablePointer<Float>,
    rows: Int, size: Int
  ) {
    var units = SomeUnits(rows: rows, size: size)
    while units.advance() {
      let (i, f) = unsafe (units.load(gates, 0, of: 4), units.load(gates, 1, of: 4))
      let (g, o) = unsafe (units.load(gates, 2, of: 4), units.load(gates, 3, of: 4))
      let squashed = unsafe units.load(cellTanh)
      let dh = unsafe flush(units.load(hiddenGradient) + units.load(outputGradient))
      let dc = unsafe flush(rn_fma(dh * o, tanhSlope(squashed), units.load(cellGradient)))
      unsafe units.store(dc * g * sigmoidSlope(i), gates, 0, of: 4)
      unsafe units.store(dc * units.load(previousCell) * sigmoidSlope(f), gates, 1, of: 4)
      unsafe units.store(dc * i * tanhSlope(g), gates, 2, of: 4)
      unsafe units.store(dh * squashed * sigmoidSlope(o), gates, 3, of: 4)
      unsafe units.store(dc * f, cellGradient)
      unsafe units.store(.zero, hiddenGradient)
    }
  }
}
