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
  /// One program: its layers, one behind the other.
  package struct Program: Sendable {
    package let name: String
    package let input: NetworkSpecification.Input
    package let layers: [any Layer]
    /// The layers' names, such as `gru0`: the kind, and how many of it came before; with the program's
    /// name before it where there are several, as in `encode.gru0`.
    package let names: [String]
    /// Where each layer's parameters begin.
    package let parameterOffsets: [Int]
    /// Where each layer's states begin, for one stream.
    package let stateOffsets: [Int]
    package var outputSize: Int { layers.last!.outputSize }
  }
  /// The programs, in the order in which a sequence runs them.
  package let programs: [Program]
  package let slices: [Slice]
  package let parameterCount: Int
  /// The sizes of the states that the programs share, in order.
  package let stateSizes: [Int]
  /// The size of all states of one stream.
  package var stateSize: Int { stateSizes.reduce(0, +) }
  /// The size of a prediction, the last program's.
  package var outputSize: Int { programs.last!.outputSize }

  /// The largest size of a layer or an input.
  private static let largestSize = 1 << 20
  /// The largest number of parameters.
  private static let largestCount = 1 << 30

  /// Builds the layers that a specification asks for.
  package init(_ specification: NetworkSpecification) throws(TrainingError) {
    guard !specification.programs.isEmpty,
      Set(specification.programs.map(\.name)).count == specification.programs.count
    else { throw .specification(.programs, layer: -1) }
    var programs: [Program] = []
    var slices: [Slice] = []
    var offset = 0
    var shared: [[Int]] = []
    var firstLayer = 0
    for program in specification.programs {
      let prefix = specification.programs.count > 1 ? "\(program.name)." : ""
      let built = try Self.program(
        program, prefix: prefix, firstLayer: firstLayer, shared: &shared, slices: &slices,
        offset: &offset)
      programs.append(built)
      firstLayer += program.layers.count
    }
    guard offset > 0 else { throw .specification(.noLayers, layer: -1) }
    self.programs = programs
    self.slices = slices
    stateSizes = shared.flatMap { $0 }
    parameterCount = offset
  }

  /// Builds a program's layers.
  ///
  /// - Parameters:
  ///   - firstLayer: How many layers the programs before it have.
  ///   - shared: The states so far, by the layers that have some; gets the program's own.
  ///   - slices: The parameters so far; get the program's own.
  ///   - offset: The number of parameters so far.
  private static func program(
    _ program: NetworkSpecification.Program, prefix: String, firstLayer: Int,
    shared: inout [[Int]], slices: inout [Slice], offset: inout Int
  ) throws(TrainingError) -> Program {
    var layers: [any Layer] = []
    var size = try inputSize(of: program, firstLayer: firstLayer)
    for (index, layer) in program.layers.enumerated() {
      let built = try Self.layer(
        layer, at: index, inputSize: size, of: program, firstLayer: firstLayer)
      guard built.outputSize >= 1, built.outputSize <= largestSize else {
        throw .specification(.size, layer: firstLayer + index)
      }
      guard built.inputSize == size else {
        throw .specification(.stateInput, layer: firstLayer + index)
      }
      layers.append(built)
      size = built.outputSize
    }
    guard !layers.isEmpty else { throw .specification(.noLayers, layer: -1) }
    var names: [String] = []
    var counts: [String: Int] = [:]
    var parameterOffsets: [Int] = []
    var stateOffsets: [Int] = []
    var place = 0
    for (index, layer) in layers.enumerated() {
      let name = "\(prefix)\(layer.kind)\(counts[layer.kind, default: 0])"
      counts[layer.kind, default: 0] += 1
      names.append(name)
      parameterOffsets.append(offset)
      for shape in layer.parameters {
        slices.append(
          Slice(
            name: "\(name).\(shape.name)", shape: shape.shape, start: shape.start, offset: offset))
        offset += shape.count
      }
      guard offset <= largestCount else { throw .specification(.size, layer: firstLayer + index) }
      stateOffsets.append(shared.prefix(place).reduce(0) { $0 + $1.reduce(0, +) })
      guard !layer.stateSizes.isEmpty else { continue }
      if place == shared.count { shared.append(layer.stateSizes) }
      guard shared[place] == layer.stateSizes else {
        throw .specification(.sharedState, layer: firstLayer + index)
      }
      place += 1
    }
    return Program(
      name: program.name, input: program.input, layers: layers, names: names,
      parameterOffsets: parameterOffsets, stateOffsets: stateOffsets)
  }

  private static func inputSize(
    of program: NetworkSpecification.Program, firstLayer: Int
  ) throws(TrainingError) -> Int {
    switch program.input {
    case .vector(let size):
      guard size >= 1, size <= largestSize else { throw .specification(.size, layer: -1) }
      return size
    case .index(let size):
      guard size >= 1, size <= largestSize else { throw .specification(.size, layer: -1) }
      guard !program.normalises else { throw .specification(.normalisedIndex, layer: -1) }
      guard case .embedding? = program.layers.first else {
        throw .specification(.indexWithoutEmbedding, layer: firstLayer)
      }
      return 1
    }
  }

  private static func layer(
    _ layer: LayerSpecification, at index: Int, inputSize: Int,
    of program: NetworkSpecification.Program, firstLayer: Int
  ) throws(TrainingError) -> any Layer {
    let place = firstLayer + index
    switch layer {
    case .rnn(let hidden, let activation):
      return RNNLayer(inputSize: inputSize, outputSize: hidden, activation: activation)
    case .lstm(let hidden): return LSTMLayer(inputSize: inputSize, outputSize: hidden)
    case .gru(let hidden, .resetAfter):
      return GRUResetAfterLayer(inputSize: inputSize, outputSize: hidden)
    case .gru(let hidden, .resetBefore):
      return GRUResetBeforeLayer(inputSize: inputSize, outputSize: hidden)
    case .state(let hidden, let hasCell): return StateLayer(outputSize: hidden, hasCell: hasCell)
    case .dense(let size): return DenseLayer(inputSize: inputSize, outputSize: size)
    case .embedding(let size):
      guard index == 0, case .index(let count) = program.input else {
        throw .specification(.misplacedEmbedding, layer: place)
      }
      return EmbeddingLayer(count: count, outputSize: size)
    case .dropout(let rate):
      guard rate >= 0, rate < 1 else { throw .specification(.rate, layer: place) }
      return DropoutLayer(size: inputSize, rate: rate)
    case .noise(let deviation):
      guard deviation >= 0, deviation.isFinite else { throw .specification(.rate, layer: place) }
      return NoiseLayer(size: inputSize, deviation: deviation)
    case .offset(let deviation):
      guard deviation >= 0, deviation.isFinite else { throw .specification(.rate, layer: place) }
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
