internal import CKernelShims

/// A frame of a vanilla RNN's forward and backward pass, for some streams; the layer has the equations.
package enum RNNPass {
  /// `output` from sums to values, which are the next `hidden`.
  package static func forward(
    output: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>, isTanh: Bool,
    count: Int
  ) {
    var units = SomeUnits(size: count)
    while units.advance() {
      let sum = unsafe units.load(output)
      let h = isTanh ? exactTanh(sum) : rn_relu(sum)
      unsafe units.store(h, output)
      unsafe units.store(h, hidden)
    }
  }

  /// `outputGradient` to the gradient of the sums, with `hiddenGradient`, which becomes 0.
  package static func backward(
    output: UnsafePointer<Float>, outputGradient: UnsafeMutablePointer<Float>,
    hiddenGradient: UnsafeMutablePointer<Float>, isTanh: Bool, count: Int
  ) {
    var units = SomeUnits(size: count)
    while units.advance() {
      let h = unsafe units.load(output)
      let dh = unsafe flush(units.load(hiddenGradient) + units.load(outputGradient))
      let slope = isTanh ? tanhSlope(h) : rn_is_positive(h)
      unsafe units.store(dh * slope, outputGradient)
      unsafe units.store(.zero, hiddenGradient)
    }
  }
}
