public import Runnel

extension TrainedNetwork {
  /// The network as a model: input, normalisation, layers, and the non-linearity of the loss.
  ///
  /// - Parameters:
  ///   - name: The model's name.
  ///   - labels: What the elements of the output mean.
  ///   - provenance: Where the model comes from.
  ///   - frameRate: Frames per second, where the model has a natural rate.
  ///   - inputName: The name of the frame's only part.
  ///   - outputName: The name of the prediction's only part.
  ///   - golden: Sequences, shape `[frames, width]` each, that the model shall prove itself by: the
  ///     network's own predictions for them, computed in Double, are written beside them, with the
  ///     tolerance that predictions of their size need.
  public func description(
    name: String, labels: [String] = [], provenance: [String] = [], frameRate: Double? = nil,
    inputName: String = "frame", outputName: String = "prediction", golden: [[Float]] = []
  ) -> ModelDescription {
    var builder = DescriptionBuilder(inputName: inputName, network: self)
    let prediction = builder.appendOperations()
    var metadata = ModelMetadata()
    metadata.name = name
    metadata.labels = labels
    metadata.provenance = provenance
    metadata.frameRate = frameRate
    if normalisation != nil {
      metadata.inputNormalisation =
        "The model itself brings each element to mean 0 and deviation 1 of its training data"
    }
    let program = ProgramDescription(
      inputs: [builder.input], operations: builder.operations,
      outputs: [OutputPort(name: outputName, slot: prediction)])
    let runs = golden.map {
      GoldenFrames.Run(frames: $0, predictions: predictions(for: $0))
    }
    let tolerance = tolerance(for: runs)
    return ModelDescription(
      states: builder.states, programs: [program], tensors: builder.tensors, metadata: metadata,
      golden: GoldenFrames(tolerance: tolerance, runs: runs))
  }

  /// How far the runtime's Float may be from Double: relative to the largest prediction, and no less
  /// than what an instruction set that rounds the product of the normalisation, and one that does
  /// not, make of the same frames.
  private func tolerance(for runs: [GoldenFrames.Run]) -> Float {
    var largest: Float = 1
    var difference: Float = 0
    for run in runs {
      let fused = normalisation == nil ? run.predictions : predictions(for: run.frames, fused: true)
      for (value, other) in zip(run.predictions, fused) {
        largest = max(largest, value.magnitude)
        difference = max(difference, (value - other).magnitude)
      }
    }
    return max(1e-5 * largest, 4 * difference)
  }
}

/// Turns layers into operations, one slot after the other.
private struct DescriptionBuilder {
  let input: InputPort
  private let trained: TrainedNetwork
  private(set) var states: [StateDescription] = []
  private(set) var tensors: [TensorDescription] = []
  private(set) var operations: [ModelOperation] = []
  /// The slot of the latest result.
  private var slot = 0

  init(inputName: String, network: TrainedNetwork) {
    trained = network
    switch network.specification.input {
    case .vector(let size): input = InputPort(name: inputName, size: size)
    case .index(let size): input = InputPort(name: inputName, kind: .index, size: size)
    }
  }

  /// Appends everything; returns the slot of the prediction.
  mutating func appendOperations() -> Int {
    if let normalisation = trained.normalisation {
      let scale = tensor("normalisation.scale", normalisation.scale)
      let shift = tensor("normalisation.shift", normalisation.shift)
      append(.affine(input: slot, scale: scale, shift: shift))
    }
    for index in trained.network.layers.indices { appendLayer(index) }
    switch trained.specification.loss {
    case .softmaxCrossEntropy: append(.softmax(slot))
    case .sigmoidCrossEntropy: append(.sigmoid(slot))
    case .meanSquaredError: break
    }
    return slot
  }

  private mutating func append(_ operation: ModelOperation) {
    operations.append(operation)
    slot = operations.count
  }

  private mutating func tensor(_ name: String, _ values: [Float]) -> Int {
    tensors.append(TensorDescription(name: name, shape: [values.count], values: values))
    return tensors.count - 1
  }

  private mutating func appendLayer(_ index: Int) {
    guard !trained.specification.layers[index].isForTrainingOnly else { return }
    let network = trained.network
    let layer = network.layers[index]
    let name = network.names[index]
    let first = tensors.count
    for slice in network.slices where slice.name.hasPrefix("\(name).") {
      let values = Array(trained.parameters[slice.range])
      tensors.append(TensorDescription(name: slice.name, shape: slice.shape, values: values))
    }
    let state = states.count
    for (size, suffix) in zip(layer.stateSizes, ["hidden", "cell"]) {
      states.append(StateDescription(name: "\(name).\(suffix)", size: size))
    }
    switch trained.specification.layers[index] {
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
    case .dense: append(.dense(input: slot, weights: first, bias: first + 1))
    case .embedding: append(.embedding(index: slot, table: first))
    case .tanh: append(.tanh(slot))
    case .sigmoid: append(.sigmoid(slot))
    case .relu: append(.relu(slot))
    case .dropout, .noise, .offset: break
    }
  }
}
