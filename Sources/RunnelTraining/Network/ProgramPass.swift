/// One program of a network, unrolled over a window of frames: the buffers of its forward and
/// backward pass.
@safe final class ProgramPass<Scalar: TrainingScalar> {
  private let program: Network.Program
  private(set) var window = Window(lengths: [])
  /// All layers' inputs and outputs, one behind the other, then what they keep, then scratch.
  private let arena = Buffer<Scalar>()
  private let activationGradients: (Buffer<Scalar>, Buffer<Scalar>)
  /// What the layer behind an embedding makes of the table.
  private let products = Buffer<Scalar>()
  /// Where each layer's input begins in the arena; and last, the program's output.
  private var activationOffsets: [Int] = []
  private var keptOffsets: [Int] = []
  private var scratchOffset = 0

  init(_ program: Network.Program) {
    self.program = program
    activationGradients = (Buffer(), Buffer())
  }

  /// Makes room for a window.
  func begin(_ window: Window) {
    self.window = window
    let rows = window.rows
    var offset = 0
    activationOffsets = [0]
    offset += rows * program.input.width
    var widest = program.input.width
    for layer in program.layers {
      activationOffsets.append(offset)
      offset += rows * layer.outputSize
      widest = max(widest, layer.outputSize)
    }
    keptOffsets = []
    var scratch = 0
    for layer in program.layers {
      keptOffsets.append(offset)
      offset += layer.keptCount(rows: rows)
      scratch = max(scratch, layer.scratchCount(Scalar.self, window: window))
    }
    scratchOffset = offset
    arena.reserve(offset + scratch)
    activationGradients.0.reserve(rows * widest)
    activationGradients.1.reserve(rows * widest)
    if let embedding { products.reserve(embedding.count * program.layers[1].lookupWidth) }
  }

  /// The embedding, if the layer behind it looks its rows up: in a table that is smaller than a window.
  private var embedding: EmbeddingLayer? {
    guard program.layers.count > 1, program.layers[1].lookupWidth > 0,
      let embedding = program.layers[0] as? EmbeddingLayer, 2 * embedding.count <= window.rows
    else { return nil }
    return embedding
  }

  private func lookup(
    _ embedding: EmbeddingLayer, _ parameters: UnsafePointer<Scalar>,
    gradients: UnsafeMutablePointer<Scalar>? = nil
  ) -> Lookup<Scalar> {
    let offset = program.parameterOffsets[0]
    return unsafe Lookup(
      indices: input, table: parameters + offset,
      tableGradient: gradients.map { unsafe $0 + offset }, count: embedding.count,
      products: products.elements)
  }

  /// The frames, shape `[rows, width]`.
  var input: UnsafeMutablePointer<Scalar> { unsafe arena.elements }
  /// The last layer's outputs, shape `[rows, outputSize]`.
  var output: UnsafeMutablePointer<Scalar> {
    unsafe arena.elements + activationOffsets[program.layers.count]
  }
  /// The gradient of the outputs, `[rows, outputSize]`.
  var outputGradient: UnsafeMutablePointer<Scalar> { unsafe activationGradients.0.elements }
  /// The gradient of the frames, `[rows, width]`, after a backward pass that was asked for it.
  var inputGradient: UnsafeMutablePointer<Scalar> {
    program.layers.count % 2 == 0
      ? unsafe activationGradients.0.elements : unsafe activationGradients.1.elements
  }

  /// Computes the outputs and replaces the states of `streams` streams.
  func forward(
    parameters: UnsafePointer<Scalar>, states: UnsafeMutablePointer<Scalar>, streams: Int,
    random: UnsafeMutablePointer<RandomGenerator>?
  ) {
    let embedding = embedding
    for (index, layer) in program.layers.enumerated() where index > 0 || embedding == nil {
      let pass = unsafe ForwardPass(
        window: window, parameters: parameters + program.parameterOffsets[index],
        input: arena.elements + activationOffsets[index],
        lookup: index == 1 ? embedding.map { unsafe lookup($0, parameters) } : nil,
        output: arena.elements + activationOffsets[index + 1],
        states: states + streams * program.stateOffsets[index],
        kept: arena.elements + keptOffsets[index], scratch: arena.elements + scratchOffset,
        random: random)
      unsafe layer.forward(pass)
    }
  }

  /// Adds to the parameters' gradients, and turns those of the states after the window into those
  /// before it.
  func backward(
    parameters: UnsafePointer<Scalar>, gradients: UnsafeMutablePointer<Scalar>,
    stateGradients: UnsafeMutablePointer<Scalar>, streams: Int, wantsInputGradient: Bool
  ) {
    var (outer, inner) = activationGradients
    let embedding = embedding
    for (index, layer) in program.layers.enumerated().reversed() {
      if index == 0 && embedding != nil {
        // What looks rows up has added to the table's gradient; numbers of rows have none.
        if wantsInputGradient { unsafe inner.elements.update(repeating: 0, count: window.rows) }
        continue
      }
      let isFirst = index == (embedding == nil ? 0 : 1)
      let pass = unsafe BackwardPass(
        window: window, parameters: parameters + program.parameterOffsets[index],
        input: arena.elements + activationOffsets[index],
        lookup: index == 1
          ? embedding.map { unsafe lookup($0, parameters, gradients: gradients) } : nil,
        output: arena.elements + activationOffsets[index + 1],
        kept: arena.elements + keptOffsets[index], scratch: arena.elements + scratchOffset,
        gradients: gradients + program.parameterOffsets[index], outputGradient: outer.elements,
        inputGradient: isFirst && (embedding != nil || !wantsInputGradient) ? nil : inner.elements,
        stateGradients: stateGradients + streams * program.stateOffsets[index])
      unsafe layer.backward(pass)
      swap(&outer, &inner)
    }
  }
}
