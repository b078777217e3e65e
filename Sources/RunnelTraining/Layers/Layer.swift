/// One layer over a window of frames: `forward` keeps what `backward` needs.
///
/// Layers hold sizes only. Parameters, gradients, states and everything kept live in buffers that
/// ``Unroll`` owns, so any number of passes can run side by side over the same parameters.
package protocol Layer: Sendable {
  /// The kind, for names such as `gru0`.
  var kind: String { get }
  /// The size of an input row, `I`.
  var inputSize: Int { get }
  /// The size of an output row, `O`.
  var outputSize: Int { get }
  /// The parameters, in the order in which they lie one behind the other.
  var parameters: [ParameterShape] { get }
  /// The sizes of the states that are carried from window to window, for one stream each.
  var stateSizes: [Int] { get }

  /// How many numbers the layer makes of an input by a product, if it can take a ``Lookup``; otherwise 0.
  var lookupWidth: Int { get }

  /// How many numbers `forward` keeps for `backward`.
  func keptCount(rows: Int) -> Int
  /// How many numbers the larger of the two passes needs besides.
  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int

  /// Computes the outputs, and replaces the states by those after the window.
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>)
  /// Adds to the parameters' gradients, and computes those of the inputs and the earlier states.
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>)
}

extension Layer {
  package var stateSizes: [Int] { [] }
  package var parameters: [ParameterShape] { [] }
  package var lookupWidth: Int { 0 }
  package func keptCount(rows: Int) -> Int { 0 }
  package func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int { 0 }
}

/// A parameter tensor of a layer: its name, its shape, and how it starts.
package struct ParameterShape: Equatable, Sendable {
  /// How a parameter starts; PyTorch's defaults.
  package enum Start: Equatable, Sendable {
    /// Uniform from `-bound` to `bound`; the first `doubled` elements are sums of two such numbers,
    /// because PyTorch has two biases where this library has their sum.
    case uniform(bound: Double, doubled: Int = 0)
    /// Normal with mean 0 and deviation 1.
    case normal
  }
  package let name: String
  package let shape: [Int]
  package let start: Start
  package var count: Int { shape.reduce(1, *) }
}

/// What a layer's forward pass reads and writes; `rows` are the window's.
@unsafe package struct ForwardPass<Scalar: TrainingScalar> {
  package let window: Window
  /// The layer's parameters, one behind the other.
  package let parameters: UnsafePointer<Scalar>
  /// Shape `[rows, I]`; holds anything where there is a lookup.
  package let input: UnsafePointer<Scalar>
  /// Where the inputs come from, if an embedding is before a layer that has a ``Layer/lookupWidth``.
  package let lookup: Lookup<Scalar>?
  /// Shape `[rows, O]`; holds anything before.
  package let output: UnsafeMutablePointer<Scalar>
  /// For each state of the layer, `[B, size]`, one behind the other; carried in and out.
  package let states: UnsafeMutablePointer<Scalar>
  /// Kept for the backward pass.
  package let kept: UnsafeMutablePointer<Scalar>
  /// For this call only.
  package let scratch: UnsafeMutablePointer<Scalar>
  /// Random numbers for dropout and noise; `nil` when the network is not being trained.
  package let random: UnsafeMutablePointer<RandomGenerator>?
}

/// What a layer's backward pass reads and writes; what `forward` was given is as it was left.
@unsafe package struct BackwardPass<Scalar: TrainingScalar> {
  package let window: Window
  package let parameters: UnsafePointer<Scalar>
  package let input: UnsafePointer<Scalar>
  package let lookup: Lookup<Scalar>?
  package let output: UnsafePointer<Scalar>
  package let kept: UnsafeMutablePointer<Scalar>
  package let scratch: UnsafeMutablePointer<Scalar>
  /// The parameters' gradients, which the pass adds to.
  package let gradients: UnsafeMutablePointer<Scalar>
  /// Shape `[rows, O]`; not needed afterwards.
  package let outputGradient: UnsafeMutablePointer<Scalar>
  /// Shape `[rows, I]`, holds anything before; `nil` where nobody asks for it.
  package let inputGradient: UnsafeMutablePointer<Scalar>?
  /// In: the gradients of the states after the window; out: those of the states before it.
  package let stateGradients: UnsafeMutablePointer<Scalar>
}
