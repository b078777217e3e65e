/// The part of a recurrent layer that is no product, for one frame of some streams: the layers have the
/// equations.
///
/// Gates are `[rows, G size]`, with G gates; all others `[rows, size]`. A gradient that `backward` is
/// given as that of a state after the frame becomes that of the state before it, as far as it does not
/// go through a product.
package protocol RecurrentScalar {
  /// Gates from sums to values, `cell` and `hidden` to the next states.
  static func forwardLSTM(
    gates: UnsafeMutablePointer<Self>, cell: UnsafeMutablePointer<Self>,
    cellTanh: UnsafeMutablePointer<Self>, hidden: UnsafeMutablePointer<Self>,
    output: UnsafeMutablePointer<Self>, rows: Int, size: Int)
  /// Gates from values to the gradients of their sums.
  static func backwardLSTM(
    gates: UnsafeMutablePointer<Self>, previousCell: UnsafePointer<Self>,
    cellTanh: UnsafePointer<Self>, outputGradient: UnsafePointer<Self>,
    hiddenGradient: UnsafeMutablePointer<Self>, cellGradient: UnsafeMutablePointer<Self>,
    rows: Int, size: Int)

  /// Gates from sums over the input to values, with the products `recurrent`, shape as the gates'.
  static func forwardGRU(
    gates: UnsafeMutablePointer<Self>, recurrent: UnsafePointer<Self>,
    hidden: UnsafeMutablePointer<Self>, output: UnsafeMutablePointer<Self>, rows: Int, size: Int)
  /// Gates from values to the gradients of their sums, `recurrent` to those of the products.
  static func backwardGRU(
    gates: UnsafeMutablePointer<Self>, recurrent: UnsafeMutablePointer<Self>,
    previousHidden: UnsafePointer<Self>, outputGradient: UnsafePointer<Self>,
    hiddenGradient: UnsafeMutablePointer<Self>, rows: Int, size: Int)

  /// Reset and update gate from sums to values, and `r h`.
  static func resetGRU(
    gates: UnsafeMutablePointer<Self>, hidden: UnsafePointer<Self>,
    resetHidden: UnsafeMutablePointer<Self>, rows: Int, size: Int)
  /// The candidate from its sum to its value, `hidden` to the next state.
  static func updateGRU(
    gates: UnsafeMutablePointer<Self>, hidden: UnsafeMutablePointer<Self>,
    output: UnsafeMutablePointer<Self>, rows: Int, size: Int)
  /// Update gate and candidate from values to the gradients of their sums.
  static func updateGRUBackward(
    gates: UnsafeMutablePointer<Self>, previousHidden: UnsafePointer<Self>,
    outputGradient: UnsafePointer<Self>, hiddenGradient: UnsafeMutablePointer<Self>, rows: Int,
    size: Int)
  /// The reset gate from its value to the gradient of its sum, by that of `r h`.
  static func resetGRUBackward(
    gates: UnsafeMutablePointer<Self>, previousHidden: UnsafePointer<Self>,
    resetGradient: UnsafePointer<Self>, hiddenGradient: UnsafeMutablePointer<Self>, rows: Int,
    size: Int)

  /// `output` from sums to values, by tanh or else by the positive part.
  static func forwardRNN(
    output: UnsafeMutablePointer<Self>, hidden: UnsafeMutablePointer<Self>, isTanh: Bool,
    count: Int)
  /// `outputGradient` to the gradient of the sums.
  static func backwardRNN(
    output: UnsafePointer<Self>, outputGradient: UnsafeMutablePointer<Self>,
    hiddenGradient: UnsafeMutablePointer<Self>, isTanh: Bool, count: Int)

  /// Replaces each of `count` values by its hyperbolic tangent.
  static func applyTanh(_ values: UnsafeMutablePointer<Self>, count: Int)
  /// Replaces each of `count` values by `1 / (1 + exp(-x))`.
  static func applySigmoid(_ values: UnsafeMutablePointer<Self>, count: Int)
}
