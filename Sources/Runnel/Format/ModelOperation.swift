/// One operation of a program: a code, the slots it reads, and the tensors and states it uses.
///
/// Its result is the slot that its place in the list gives it. The functions below make each kind;
/// their parameters and shapes are the operation's definition. `I` is the size of the operand,
/// `H` the hidden size, `O` the number of rows.
public struct ModelOperation: Equatable, Sendable {
  /// What is computed.
  public enum Code: UInt16, CaseIterable, Equatable, Sendable {
    case rnnTanh = 1
    case rnnReLU = 2
    case lstm = 3
    case gruResetAfter = 4
    case gruResetBefore = 5
    case dense = 16
    case embedding = 17
    case affine = 18
    case prelu = 19
    case clip = 20
    case elu = 21
    case layerNorm = 22
    case gather = 23
    case convolution = 24
    case depthwise = 25
    case maximum = 26
    case tanh = 32
    case sigmoid = 33
    case relu = 34
    case softmax = 35
    case softplus = 36
    case gelu = 37
    case squareRoot = 38
    case exponential = 39
    case logarithm = 40
    case errorFunction = 41
    case add = 48
    case multiply = 49
    case concatenate = 50
    case divide = 51
    case recall = 64
    case store = 65
    case window = 66
    case every = 67
    case reverse = 68
  }
  /// How accurate tanh and sigmoid are.
  public enum Accuracy: UInt16, Equatable, Sendable {
    /// Absolute error at most 1.5e-7, and of tanh at most 4 units in the last place.
    case exact = 0
    /// Absolute error at most 5e-5, in less time.
    case fast = 1
  }
  /// What is computed.
  public var code: Code
  /// The slots that are read.
  public var operands: [Int]
  /// The tensors that are used.
  public var tensors: [Int]
  /// The states that are read and, but by `recall`, replaced.
  public var states: [Int]
  /// How accurate tanh and sigmoid are, in operations that have them.
  public var accuracy = Accuracy.exact
  /// The bits, 8 or 16, of the integers that a vector is made of for its product with a matrix of
  /// type int8.
  public var inputBits = 16
  /// The elements from the start of a window to that of the next one; of `every`, the steps from one
  /// that goes on to the next.
  public var stride = 1
  /// The elements of a row, of `maximum`.
  public var width = 1
  /// The rows of a window, of `maximum`.
  public var count = 1
  /// The steps from a frame to the next one that is kept, of `window`.
  public var dilation = 1

  /// Makes an operation from its parts; prefer the functions that name them.
  public init(_ code: Code, operands: [Int], tensors: [Int] = [], states: [Int] = []) {
    self.code = code
    self.operands = operands
    self.tensors = tensors
    self.states = states
  }

  /// Whether the operation multiplies matrices with vectors.
  public var hasMatrices: Bool { !matrices.isEmpty }

  /// The tensors that are matrices of a product.
  package var matrices: ArraySlice<Int> {
    switch code {
    case .rnnTanh, .rnnReLU, .lstm, .gruResetAfter, .gruResetBefore: tensors.prefix(2)
    case .dense, .convolution: tensors.prefix(1)
    default: []
    }
  }

  /// Whether the operation says how far apart windows, or steps, are.
  package var hasStride: Bool {
    [.convolution, .depthwise, .maximum, .every].contains(code)
  }

  /// The states that the operation replaces.
  package var writtenStates: [Int] { code == .recall ? [] : states }

  /// Whether the result is the next value of the first state.
  package var givesState: Bool {
    switch code {
    case .rnnTanh, .rnnReLU, .lstm, .gruResetAfter, .gruResetBefore, .store: true
    default: false
    }
  }

  /// Whether the operation computes tanh or sigmoid.
  package var hasActivations: Bool {
    switch code {
    case .rnnTanh, .lstm, .gruResetAfter, .gruResetBefore, .tanh, .sigmoid: true
    default: false
    }
  }

  /// The non-linearity of a vanilla RNN.
  public enum RNNActivation: Sendable {
    /// Hyperbolic tangent.
    case tanh
    /// `max(x, 0)`.
    case relu
  }

  /// A vanilla (Elman) RNN: `h' = f(W_ih x + W_hh h + b)`.
  ///
  /// - Parameters:
  ///   - activation: `f`.
  ///   - input: The slot of `x`, shape `[I]`.
  ///   - inputWeights: `W_ih`, shape `[H, I]`.
  ///   - recurrentWeights: `W_hh`, shape `[H, H]`.
  ///   - bias: `b`, shape `[H]` (PyTorch's two biases added up).
  ///   - hidden: The state `h`, size `H`; also the result.
  public static func rnn(
    _ activation: RNNActivation, input: Int, inputWeights: Int, recurrentWeights: Int, bias: Int,
    hidden: Int
  ) -> ModelOperation {
    ModelOperation(
      activation == .tanh ? .rnnTanh : .rnnReLU, operands: [input],
      tensors: [inputWeights, recurrentWeights, bias], states: [hidden])
  }

  /// An LSTM: `i, f, o = σ(…)`, `g = tanh(…)`, `c' = f c + i g`, `h' = o tanh(c')`.
  ///
  /// - Parameters:
  ///   - input: The slot of `x`, shape `[I]`.
  ///   - inputWeights: `W_ih`, shape `[4H, I]`, gate order i f g o.
  ///   - recurrentWeights: `W_hh`, shape `[4H, H]`.
  ///   - bias: `b`, shape `[4H]` (PyTorch's two biases added up).
  ///   - hidden: The state `h`, size `H`; also the result.
  ///   - cell: The state `c`, size `H`.
  public static func lstm(
    input: Int, inputWeights: Int, recurrentWeights: Int, bias: Int, hidden: Int, cell: Int
  ) -> ModelOperation {
    ModelOperation(
      .lstm, operands: [input], tensors: [inputWeights, recurrentWeights, bias],
      states: [hidden, cell])
  }

  /// A GRU whose reset gate acts after the recurrent product, as PyTorch, cuDNN and Keras' default:
  /// `r, z = σ(…)`, `n = tanh(W_in x + b_n + r (W_hn h + c_n))`, `h' = (1 - z) n + z h`.
  ///
  /// - Parameters:
  ///   - input: The slot of `x`, shape `[I]`.
  ///   - inputWeights: `W_ih`, shape `[3H, I]`, gate order r z n.
  ///   - recurrentWeights: `W_hh`, shape `[3H, H]`.
  ///   - bias: `b`, shape `[3H]`: both of PyTorch's biases added up for r and z, `b_in` for n.
  ///   - candidateBias: `c_n`, shape `[H]`: PyTorch's `b_hn`.
  ///   - hidden: The state `h`, size `H`; also the result.
  public static func gruResetAfter(
    input: Int, inputWeights: Int, recurrentWeights: Int, bias: Int, candidateBias: Int,
    hidden: Int
  ) -> ModelOperation {
    ModelOperation(
      .gruResetAfter, operands: [input],
      tensors: [inputWeights, recurrentWeights, bias, candidateBias], states: [hidden])
  }

  /// A GRU whose reset gate acts before the recurrent product, as ONNX's
  /// default and Keras with `reset_after=False` (Cho and others, 2014):
  /// `n = tanh(W_in x + W_hn (r h) + b_n)`.
  ///
  /// - Parameters:
  ///   - input: The slot of `x`, shape `[I]`.
  ///   - inputWeights: `W_ih`, shape `[3H, I]`, gate order r z n.
  ///   - recurrentWeights: `W_hh`, shape `[3H, H]`.
  ///   - bias: `b`, shape `[3H]`.
  ///   - hidden: The state `h`, size `H`; also the result.
  public static func gruResetBefore(
    input: Int, inputWeights: Int, recurrentWeights: Int, bias: Int, hidden: Int
  ) -> ModelOperation {
    ModelOperation(
      .gruResetBefore, operands: [input], tensors: [inputWeights, recurrentWeights, bias],
      states: [hidden])
  }

  /// A dense layer: `y = W x + b`, with `weights` of shape `[O, I]` and `bias` of shape `[O]`.
  public static func dense(input: Int, weights: Int, bias: Int) -> ModelOperation {
    ModelOperation(.dense, operands: [input], tensors: [weights, bias])
  }

  /// An embedding: row `index` of `table`, shape `[size of the index input, O]`.
  ///
  /// `index` must be a program input of kind ``InputPort/Kind/index``.
  public static func embedding(index: Int, table: Int) -> ModelOperation {
    ModelOperation(.embedding, operands: [index], tensors: [table])
  }

  /// `y = x scale + shift`, element by element, both of shape `[I]`: input normalisation.
  public static func affine(input: Int, scale: Int, shift: Int) -> ModelOperation {
    ModelOperation(.affine, operands: [input], tensors: [scale, shift])
  }

  /// `max(x, 0) + slope min(x, 0)`, element by element, with slopes of shape `[I]`: PReLU, and the
  /// leaky ReLU.
  public static func prelu(input: Int, slope: Int) -> ModelOperation {
    ModelOperation(.prelu, operands: [input], tensors: [slope])
  }

  /// `min(max(x, low), high)`, element by element, both of shape `[I]`.
  ///
  /// Where `low` is above `high`, the result is `low`.
  public static func clip(input: Int, low: Int, high: Int) -> ModelOperation {
    ModelOperation(.clip, operands: [input], tensors: [low, high])
  }

  /// `max(x, 0) + scale (exp(min(x, 0)) - 1)`, element by element, with scales of shape `[I]`.
  public static func elu(input: Int, scale: Int) -> ModelOperation {
    ModelOperation(.elu, operands: [input], tensors: [scale])
  }

  /// Layer normalisation: `(x - mean) / √(variance + epsilon) scale + shift`, with the mean and the
  /// variance of the operand's elements.
  ///
  /// `scale` and `shift` are of shape `[I]`, `epsilon` is of shape `[1]`.
  public static func layerNorm(input: Int, scale: Int, shift: Int, epsilon: Int) -> ModelOperation {
    ModelOperation(.layerNorm, operands: [input], tensors: [scale, shift, epsilon])
  }

  /// Hyperbolic tangent, element by element.
  public static func tanh(_ input: Int) -> ModelOperation {
    ModelOperation(.tanh, operands: [input])
  }
  /// `1 / (1 + exp(-x))`, element by element.
  public static func sigmoid(_ input: Int) -> ModelOperation {
    ModelOperation(.sigmoid, operands: [input])
  }
  /// `max(x, 0)`, element by element.
  public static func relu(_ input: Int) -> ModelOperation {
    ModelOperation(.relu, operands: [input])
  }
  /// `exp(x) / sum(exp(x))` over the whole operand.
  public static func softmax(_ input: Int) -> ModelOperation {
    ModelOperation(.softmax, operands: [input])
  }
  /// `log(1 + exp(x))`, element by element, within 1e-6 of its size or of 1.
  public static func softplus(_ input: Int) -> ModelOperation {
    ModelOperation(.softplus, operands: [input])
  }
  /// `x Φ(x)`, element by element, with the normal distribution's Φ; within 1e-6 of its size or of 1.
  public static func gelu(_ input: Int) -> ModelOperation {
    ModelOperation(.gelu, operands: [input])
  }
  /// The square root, element by element; a step with a negative element is refused where the
  /// result is a prediction or a state.
  public static func squareRoot(_ input: Int) -> ModelOperation {
    ModelOperation(.squareRoot, operands: [input])
  }
  /// `exp(x)`, element by element, within 1e-6 of its size.
  public static func exponential(_ input: Int) -> ModelOperation {
    ModelOperation(.exponential, operands: [input])
  }
  /// The natural logarithm, element by element, within 1e-6 of its size or of 1.
  ///
  /// A step with an element that is not above 2^-60, which counts as 0, is refused where the result is a
  /// prediction or a state.
  public static func logarithm(_ input: Int) -> ModelOperation {
    ModelOperation(.logarithm, operands: [input])
  }
  /// The error function, element by element, within 1e-6.
  public static func errorFunction(_ input: Int) -> ModelOperation {
    ModelOperation(.errorFunction, operands: [input])
  }
  /// The sum of two operands of the same size.
  public static func add(_ a: Int, _ b: Int) -> ModelOperation {
    ModelOperation(.add, operands: [a, b])
  }
  /// The product, element by element, of two operands of the same size.
  public static func multiply(_ a: Int, _ b: Int) -> ModelOperation {
    ModelOperation(.multiply, operands: [a, b])
  }
  /// The quotient, element by element, of two operands of the same size.
  public static func divide(_ a: Int, by b: Int) -> ModelOperation {
    ModelOperation(.divide, operands: [a, b])
  }
  /// Elements of the operand, in any order, and zeros: selections, permutations, padding.
  ///
  /// `numbers`, of shape `[O]` and stored as 32-bit floats, says which element of the operand each
  /// of the result is, or -1 for a zero.
  public static func gather(_ input: Int, numbers: Int) -> ModelOperation {
    ModelOperation(.gather, operands: [input], tensors: [numbers])
  }
  /// A dense layer for each window of the operand: `y_p = W x[p stride ..< p stride + K] + b`, one
  /// behind the other, with `weights` of shape `[O, K]` and `bias` of shape `[O]`.
  ///
  /// With the channels of each position side by side, this is a convolution over the positions of a
  /// frame; `stride` counts elements, not positions.
  public static func convolution(
    input: Int, weights: Int, bias: Int, stride: Int
  ) -> ModelOperation {
    var operation = ModelOperation(.convolution, operands: [input], tensors: [weights, bias])
    operation.stride = stride
    return operation
  }
  /// A convolution of each channel with a kernel of its own.
  ///
  /// Windows are `K` rows of `C` elements, and the result for each is `b + Σ W_k row_k`, with `weights`
  /// of shape `[K, C]` and `bias` of shape `[C]`. `stride` counts elements.
  public static func depthwise(
    input: Int, weights: Int, bias: Int, stride: Int
  ) -> ModelOperation {
    var operation = ModelOperation(.depthwise, operands: [input], tensors: [weights, bias])
    operation.stride = stride
    return operation
  }
  /// The largest, element by element, of the `count` rows of `width` elements of each window.
  ///
  /// `stride` counts elements. This is max pooling.
  public static func maximum(
    _ input: Int, width: Int, count: Int, stride: Int = 1
  ) -> ModelOperation {
    var operation = ModelOperation(.maximum, operands: [input])
    (operation.width, operation.count, operation.stride) = (width, count, stride)
    return operation
  }
  /// The frames of so many steps, `dilation` apart, up to this one: what a causal convolution sees.
  ///
  /// For `K` frames of `I` elements the state has `(K - 1) dilation I`, those of the steps before.
  public static func window(_ input: Int, state: Int, dilation: Int = 1) -> ModelOperation {
    var operation = ModelOperation(.window, operands: [input], states: [state])
    operation.dilation = dilation
    return operation
  }
  /// The operand; what stands behind it runs in every `stride`-th step only, and no step but those
  /// gives a prediction.
  ///
  /// The state, of size 1, is the number of steps up to the first one that goes on.
  public static func every(_ input: Int, stride: Int, state: Int) -> ModelOperation {
    var operation = ModelOperation(.every, operands: [input], states: [state])
    operation.stride = stride
    return operation
  }
  /// The frames of a whole sequence from the last one to the first.
  ///
  /// This is for layers that run backward in time. A program that has it runs whole sequences, and no
  /// steps.
  public static func reverse(_ input: Int) -> ModelOperation {
    ModelOperation(.reverse, operands: [input])
  }
  /// A state as it was before the step, for cells that are made of other operations.
  public static func recall(_ state: Int) -> ModelOperation {
    ModelOperation(.recall, operands: [], states: [state])
  }
  /// Makes the operand the next value of a state, of its size; it is the result, too.
  public static func store(_ input: Int, state: Int) -> ModelOperation {
    ModelOperation(.store, operands: [input], states: [state])
  }
  /// The operands, one behind the other.
  public static func concatenate(_ operands: [Int]) -> ModelOperation {
    ModelOperation(.concatenate, operands: operands)
  }
}
