/// A network's layers with all their parameters in one flat buffer.
///
/// Because parameters are one buffer, optimizers, clipping, averaging and checkpoints know nothing
/// about layers.
package struct Network: Sendable {
  /// Where a named parameter tensor lies in the buffer.
  package struct Slice: Equatable, Sendable {
    /// Such as `gru0.inputWeights`.
    package let name: String
    package let shape: [Int]
    package let start: ParameterShape.Start
    package let offset: Int
    package var range: Range<Int> { offset..<(offset + shape.reduce(1, *)) }
  }
  package let input: NetworkSpecification.Input
  package let layers: [any Layer]
  /// The layers' names, such as `gru0`: the kind, and how many of it came before.
  package let names: [String]
  /// Where each layer's parameters begin.
  package let parameterOffsets: [Int]
  package let slices: [Slice]
  package let parameterCount: Int
  package let outputSize: Int
  /// Where each layer's states begin, for one stream; and last, the size of all.
  package let stateOffsets: [Int]

  /// The largest size of a layer or an input.
  private static let largestSize = 1 << 20
  /// The largest number of parameters.
  private static let largestCount = 1 << 30

  /// Builds the layers that a specification asks for.
  package init(_ specification: NetworkSpecification) throws(TrainingError) {
    input = specification.input
    var layers: [any Layer] = []
    var size = try Self.inputSize(of: specification)
    for (index, layer) in specification.layers.enumerated() {
      let built = try Self.layer(layer, at: index, inputSize: size, of: specification)
      guard built.outputSize >= 1, built.outputSize <= Self.largestSize else {
        throw .specification(.size, layer: index)
      }
      layers.append(built)
      size = built.outputSize
    }
    self.layers = layers
    outputSize = size
    var names: [String] = []
    var counts: [String: Int] = [:]
    var slices: [Slice] = []
    var parameterOffsets: [Int] = []
    var stateOffsets = [0]
    var offset = 0
    for (index, layer) in layers.enumerated() {
      let name = "\(layer.kind)\(counts[layer.kind, default: 0])"
      counts[layer.kind, default: 0] += 1
      names.append(name)
      parameterOffsets.append(offset)
      for shape in layer.parameters {
        slices.append(
          Slice(
            name: "\(name).\(shape.name)", shape: shape.shape, start: shape.start, offset: offset))
        offset += shape.count
      }
      guard offset <= Self.largestCount else { throw .specification(.size, layer: index) }
      stateOffsets.append(stateOffsets[index] + layer.stateSizes.reduce(0, +))
    }
    guard offset > 0 else { throw .specification(.noLayers, layer: -1) }
    self.names = names
    self.slices = slices
    self.parameterOffsets = parameterOffsets
    self.stateOffsets = stateOffsets
    parameterCount = offset
  }

  private static func inputSize(of specification: NetworkSpecification) throws(TrainingError) -> Int
  {
    switch specification.input {
    case .vector(let size):
      guard size >= 1, size <= largestSize else { throw .specification(.size, layer: -1) }
      return size
    case .index(let size):
      guard size >= 1, size <= largestSize else { throw .specification(.size, layer: -1) }
      guard !specification.normalises else { throw .specification(.normalisedIndex, layer: -1) }
      guard case .embedding? = specification.layers.first else {
        throw .specification(.indexWithoutEmbedding, layer: 0)
      }
      return 1
    }
  }

  private static func layer(
    _ layer: LayerSpecification, at index: Int, inputSize: Int,
    of specification: NetworkSpecification
  ) throws(TrainingError) -> any Layer {
    switch layer {
    case .rnn(let hidden, let activation):
      return RNNLayer(inputSize: inputSize, outputSize: hidden, activation: activation)
    case .lstm(let hidden): return LSTMLayer(inputSize: inputSize, outputSize: hidden)
    case .gru(let hidden, .resetAfter):
      return GRUResetAfterLayer(inputSize: inputSize, outputSize: hidden)
    case .gru(let hidden, .resetBefore):
      return GRUResetBeforeLayer(inputSize: inputSize, outputSize: hidden)
    case .dense(let size): return DenseLayer(inputSize: inputSize, outputSize: size)
    case .embedding(let size):
      guard index == 0, case .index(let count) = specification.input else {
        throw .specification(.misplacedEmbedding, layer: index)
      }
      return EmbeddingLayer(count: count, outputSize: size)
    case .dropout(let rate):
      guard rate >= 0, rate < 1 else { throw .specification(.rate, layer: index) }
      return DropoutLayer(size: inputSize, rate: rate)
    case .noise(let deviation):
      guard deviation >= 0, deviation.isFinite else { throw .specification(.rate, layer: index) }
      return NoiseLayer(size: inputSize, deviation: deviation)
    case .offset(let deviation):
      guard deviation >= 0, deviation.isFinite else { throw .specification(.rate, layer: index) }
      return OffsetLayer(size: inputSize, deviation: deviation)
    case .tanh: return ActivationLayer(size: inputSize, function: .tanh)
    case .sigmoid: return ActivationLayer(size: inputSize, function: .sigmoid)
    case .relu: return ActivationLayer(size: inputSize, function: .relu)
    }
  }

  /// Parameters to start from, as PyTorch's defaults, determined by the seed.
  package func initialParameters<Scalar: TrainingScalar>(seed: UInt64) -> [Scalar] {
    var random = RandomGenerator(seed: seed, purpose: .initialisation)
    var parameters: [Scalar] = []
    parameters.reserveCapacity(parameterCount)
    for slice in slices {
      for i in 0..<slice.range.count {
        switch slice.start {
        case .normal: parameters.append(Scalar(random.normal()))
        case .uniform(let bound, let doubled):
          var value = (2 * random.uniform() - 1) * bound
          if i < doubled { value += (2 * random.uniform() - 1) * bound }
          parameters.append(Scalar(value))
        }
      }
    }
    return parameters
  }
}
