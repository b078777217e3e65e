public import Runnel

extension TrainedNetwork {
  /// The network as a model: for each program its input, normalisation and layers, and at the end the
  /// non-linearity of the loss.
  ///
  /// - Parameters:
  ///   - name: The model's name.
  ///   - labels: What the elements of the output mean.
  ///   - provenance: Where the model comes from.
  ///   - frameRate: Frames per second, where the model has a natural rate.
  ///   - inputName: The name of a frame's only part.
  ///   - outputName: The name of the prediction's only part; what programs before the last one give
  ///     out is named `state`.
  ///   - golden: Sequences that the model shall prove itself by, for each the frames of each program,
  ///     shape `[frames, width]`: the network's own outputs for them, computed in Double, are written
  ///     beside them, with the tolerance that numbers of their size need.
  public func description(
    name: String, labels: [String] = [], provenance: [String] = [], frameRate: Double? = nil,
    inputName: String = "frame", outputName: String = "prediction", golden: [[[Float]]] = []
  ) -> ModelDescription {
    var builder = DescriptionBuilder(self)
    let programs = network.programs.indices.map { number in
      builder.program(
        number, inputName: inputName,
        outputName: number == network.programs.count - 1 ? outputName : "state")
    }
    var metadata = ModelMetadata()
    metadata.name = name
    metadata.labels = labels
    metadata.provenance = provenance
    metadata.frameRate = frameRate
    if normalisations.contains(where: { $0 != nil }) {
      metadata.inputNormalisation =
        "The model itself brings each element to mean 0 and deviation 1 of its training data"
    }
    let outputs = golden.map { self.outputs(for: $0, fused: false) }
    let runs = zip(golden, outputs).flatMap { frames, outputs in
      zip(frames, outputs).enumerated().map { number, run in
        GoldenFrames.Run(
          program: number, startsFromReset: number == 0, frames: run.0, predictions: run.1)
      }
    }
    return ModelDescription(
      states: builder.states, programs: programs, tensors: builder.tensors, metadata: metadata,
      golden: GoldenFrames(tolerance: tolerance(golden, outputs), runs: runs))
  }

  /// How far the runtime's Float may be from Double: relative to the largest output, and no less
  /// than what an instruction set that rounds the product of the normalisation, and one that does
  /// not, make of the same frames.
  private func tolerance(_ golden: [[[Float]]], _ outputs: [[[Float]]]) -> Float {
    var largest: Float = 1
    var difference: Float = 0
    let isNormalised = normalisations.contains { $0 != nil }
    for (frames, outputs) in zip(golden, outputs) {
      let fused = isNormalised ? self.outputs(for: frames, fused: true) : outputs
      for (value, other) in zip(outputs.joined(), fused.joined()) {
        largest = max(largest, value.magnitude)
        difference = max(difference, (value - other).magnitude)
      }
    }
    return max(1e-5 * largest, 4 * difference)
  }
}

/// Turns programs into lists of operations, layer by layer, one slot after the other.
private struct DescriptionBuilder {
  private let trained: TrainedNetwork
  private(set) var states: [StateDescription] = []
  private(set) var tensors: [TensorDescription] = []
  private var operations: [ModelOperation] = []
  /// The slot of the latest result.
  private var slot = 0
  /// How many states the program's layers have used.
  private var place = 0

  init(_ network: TrainedNetwork) { trained = network }

  /// A program with all its operations.
  mutating func program(
    _ number: Int, inputName: String, outputName: String
  ) -> ProgramDescription {
    let specification = trained.specification.programs[number]
    (operations, slot, place) = ([], 0, 0)
    let input =
      switch specification.input {
      case .vector(let size): InputPort(name: inputName, size: size)
      case .index(let size): InputPort(name: inputName, kind: .index, size: size)
      }
    let isOnly = trained.network.programs.count == 1
    if let normalisation = trained.normalisations[number] {
      let prefix = isOnly ? "" : "\(specification.name)."
      let scale = tensor("\(prefix)normalisation.scale", normalisation.scale)
      let shift = tensor("\(prefix)normalisation.shift", normalisation.shift)
      append(.affine(input: slot, scale: scale, shift: shift))
    }
    for (index, layer) in specification.layers.enumerated() where !layer.isForTrainingOnly {
      append(layer, index, of: trained.network.programs[number])
    }
    if number == trained.network.programs.count - 1 {
      switch trained.specification.loss {
      case .softmaxCrossEntropy: append(.softmax(slot))
      case .sigmoidCrossEntropy: append(.sigmoid(slot))
      case .meanSquaredError: break
      }
    }
    return ProgramDescription(
      name: specification.name, inputs: [input], operations: operations,
      outputs: [OutputPort(name: outputName, slot: slot)])
  }

  private mutating func append(_ operation: ModelOperation) {
    operations.append(operation)
    slot = operations.count
  }

  private mutating func tensor(_ name: String, _ values: [Float]) -> Int {
    tensors.append(TensorDescription(name: name, shape: [values.count], values: values))
    return tensors.count - 1
  }

  private mutating func append(
    _ specification: LayerSpecification, _ index: Int, of program: Network.Program
  ) {
    let layer = program.layers[index]
    let name = program.names[index]
    let first = tensors.count
    for slice in trained.network.slices where slice.name.hasPrefix("\(name).") {
      let values = Array(trained.parameters[slice.range])
      tensors.append(TensorDescription(name: slice.name, shape: slice.shape, values: values))
    }
    let state = place
    for (size, suffix) in zip(layer.stateSizes, ["hidden", "cell"]) {
      if place == states.count {
        states.append(StateDescription(name: "\(name).\(suffix)", size: size))
      }
      place += 1
    }
    switch specification {
    case .rnn(_, let activation):
      append(
        .rnn(
          activation, input: slot, inputWeights: first, recurrentWeights: first + 1,
          bias: first + 2, hidden: state))
    case .lstm:
      append(
        .lstm(
          input: slot, inputWeights: first, recurrentWeights: first + 1, bias: first + 2,
          hidden: state, cell: state + 1))
    case .gru(_, .resetAfter):
      append(
        .gruResetAfter(
          input: slot, inputWeights: first, recurrentWeights: first + 1, bias: first + 2,
          candidateBias: first + 3, hidden: state))
    case .gru(_, .resetBefore):
      append(
        .gruResetBefore(
          input: slot, inputWeights: first, recurrentWeights: first + 1, bias: first + 2,
          hidden: state))
    case .state(let hidden, let hasCell):
      let values = slot
      if hasCell {
        append(.gather(values, numbers: indices(from: hidden, hidden, name)))
        append(.store(slot, state: state + 1))
        append(.gather(values, numbers: indices(from: 0, hidden, name)))
      }
      append(.store(slot, state: state))
    case .dense: append(.dense(input: slot, weights: first, bias: first + 1))
    case .embedding: append(.embedding(index: slot, table: first))
    case .tanh: append(.tanh(slot))
    case .sigmoid: append(.sigmoid(slot))
    case .relu: append(.relu(slot))
    case .dropout, .noise, .offset: break
    }
  }

  /// A tensor with consecutive whole numbers, which a `gather` takes.
  private mutating func indices(from start: Int, _ count: Int, _ name: String) -> Int {
    tensor(
      "\(name).\(start == 0 ? "hidden" : "cell")", (start..<(start + count)).map { Float($0) })
  }
}
