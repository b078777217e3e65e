/// What a network is made of: its input, its layers from first to last, and what it is trained on.
///
/// The last layer's size is the size of a prediction: the number of classes for softmax
/// cross-entropy, the number of values for the other losses. The non-linearity that a loss implies
/// (softmax, sigmoid) is not a layer: the loss contains it, and the exported model ends with it.
public struct NetworkSpecification: Equatable, Sendable {
  /// What a frame holds.
  public enum Input: Equatable, Sendable {
    /// `size` real numbers.
    case vector(size: Int)
    /// One whole number from `0 ..< size`, for a first layer that is an embedding.
    case index(size: Int)

    /// How many numbers a frame has.
    public var width: Int {
      switch self {
      case .vector(let size): size
      case .index: 1
      }
    }
  }
  /// What a frame holds.
  public var input: Input
  /// Whether each element of a frame is shifted and scaled to mean 0 and deviation 1 over the
  /// training data, before the first layer.
  ///
  /// The constants become part of the model.
  public var normalises: Bool
  /// The layers, from first to last.
  public var layers: [LayerSpecification]
  /// What training makes small.
  public var loss: Loss

  /// Makes a specification; ``Trainer`` checks that the parts fit together.
  public init(
    input: Input, normalises: Bool = false, layers: [LayerSpecification], loss: Loss
  ) {
    self.input = input
    self.normalises = normalises
    self.layers = layers
    self.loss = loss
  }
}
