/// What a network is made of: its programs over one shared state, and what it is trained on.
///
/// Most networks have one program, `step`. A captioner has two: one that makes an image the state
/// from which the other then writes a sentence. An encoder–decoder has two: one that reads the
/// source, one that writes the target. A sequence runs all programs, one after the other; the last
/// one predicts, and has the loss.
///
/// Programs share states by their order: the first layer with a state of each program works on the
/// same state, and so does the second one, and so on. So a decoder goes on from where an encoder of
/// the same sizes stopped.
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

  /// A program: its input, and its layers from first to last.
  public struct Program: Equatable, Sendable {
    /// The name, unique in the network, such as `encode`.
    public var name: String
    /// What a frame holds.
    public var input: Input
    /// Whether each element of a frame is shifted and scaled to mean 0 and deviation 1 over the
    /// training data, before the first layer.
    ///
    /// The constants become part of the model.
    public var normalises: Bool
    /// The layers, from first to last.
    public var layers: [LayerSpecification]

    /// Makes a program.
    public init(
      name: String = "step", input: Input, normalises: Bool = false, layers: [LayerSpecification]
    ) {
      self.name = name
      self.input = input
      self.normalises = normalises
      self.layers = layers
    }
  }

  /// The programs, in the order in which a sequence runs them.
  public var programs: [Program]
  /// What training makes small: the loss of the last program's outputs.
  public var loss: Loss

  /// Makes a specification; ``Trainer`` checks that the parts fit together.
  public init(programs: [Program], loss: Loss) {
    self.programs = programs
    self.loss = loss
  }

  /// Makes a specification with one program.
  public init(
    input: Input, normalises: Bool = false, layers: [LayerSpecification], loss: Loss
  ) {
    self.init(programs: [Program(input: input, normalises: normalises, layers: layers)], loss: loss)
  }

  /// The layers of all programs, one program behind the other: what an index of a layer in
  /// ``TrainingError/specification(_:layer:)`` counts.
  public var layers: [LayerSpecification] { programs.flatMap(\.layers) }
}
