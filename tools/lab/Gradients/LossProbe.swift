package import RunnelTraining

/// A network's loss and its gradients on some sequences of one length, in Double.
///
/// The one place in which experiments look inside a network.
package struct LossProbe {
  package let network: Network
  /// Shape `[parameterCount]`, in the order of the network's slices.
  package var parameters: [Double]
  private let loss: Loss

  /// A network with parameters.
  ///
  /// - Parameter parameters: Those that the network starts training from with this seed.
  package init(_ specification: NetworkSpecification, seed: UInt64) throws(TrainingError) {
    network = try Network(specification)
    loss = specification.loss
    parameters = network.initialParameters(seed: seed)
  }

  /// A trained network.
  package init(_ trained: TrainedNetwork) throws(TrainingError) {
    network = try Network(trained.specification)
    loss = trained.specification.loss
    parameters = trained.parameters.map { Double($0) }
  }

  /// Scales the recurrent weights of the first layer, a vanilla RNN, to a spectral radius.
  package mutating func scaleRecurrentWeights(toRadius radius: Double) {
    let slice = network.slices.first { $0.name == "rnn0.recurrentWeights" }!
    let factor = radius / spectralRadius(Array(parameters[slice.range]), size: slice.shape[0])
    for i in slice.range { parameters[i] *= factor }
  }

  /// The norms of the gradient of the loss at the last frame by the states that the network carried
  /// into each earlier frame.
  ///
  /// All states of a stream count as one vector: of an LSTM, the hidden and the cell state. What
  /// later states have of an earlier one is part of its gradient.
  ///
  /// - Parameters:
  ///   - sequences: At least one; all of one length `T`, with values at the last frame as targets.
  ///   - lags: How many frames back, each from 1 to `T`: with 1, the state before the last frame.
  /// - Returns: For each lag, the norm of each sequence.
  /// - Complexity: O(`T` × lags) frames: for each lag, a window that long is unrolled at the end.
  package func stateGradientNorms(
    _ sequences: [TrainingSequence], lags: [Int]
  ) -> [[Double]] {
    let length = sequences[0].length
    return lags.map { lag in
      let unroll = Unroll<Double>(network)
      unroll.reset(streams: sequences.count)
      if lag < length { run(unroll, sequences, frames: 0..<(length - lag)) }
      run(unroll, sequences, frames: (length - lag)..<length)
      backward(unroll, sequences, frames: lag)
      return sequences.indices.map { norm(of: unroll, stream: $0, streams: sequences.count) }
    }
  }

  /// Runs the frames of all sequences forward, from the states that are there.
  private func run(
    _ unroll: Unroll<Double>, _ sequences: [TrainingSequence], frames: Range<Int>
  ) {
    let window = Window(lengths: Array(repeating: frames.count, count: sequences.count))
    unroll.begin(window)
    let width = network.programs[0].input.width
    for (offset, frame) in frames.enumerated() {
      for (stream, sequence) in sequences.enumerated() {
        let row = window.row(frame: offset, stream: stream)
        for i in 0..<width {
          unsafe unroll.input[row * width + i] = Double(sequence.inputs[frame * width + i])
        }
      }
    }
    unsafe unroll.forward(parameters: parameters, random: nil)
  }

  /// Takes the gradient of the sum of the sequences' losses back over the window.
  private func backward(
    _ unroll: Unroll<Double>, _ sequences: [TrainingSequence], frames: Int
  ) {
    let size = network.outputSize
    let rows = unroll.window.rows
    var targets = LossTargets<Double>()
    targets.classes = Array(repeating: 0, count: rows)
    targets.weights = Array(repeating: 0, count: rows)
    targets.values = Array(repeating: 0, count: rows * size)
    for (stream, sequence) in sequences.enumerated() {
      guard case .valuesAtLast(let values) = sequence.targets else {
        preconditionFailure("the loss is at the last frame")
      }
      let row = unroll.window.row(frame: frames - 1, stream: stream)
      targets.weights[row] = 1
      for i in 0..<size { targets.values[row * size + i] = Double(values[i]) }
    }
    _ = unsafe loss.evaluate(
      unroll.output, size: size, targets: targets, gradient: unroll.outputGradient)
    unsafe unroll.backward(parameters: parameters)
  }

  /// The norm of the gradient by all states of a stream before the window.
  private func norm(of unroll: Unroll<Double>, stream: Int, streams: Int) -> Double {
    var sum = 0.0
    var start = 0
    for size in network.stateSizes {
      for i in 0..<size {
        let gradient = unsafe unroll.stateGradients[start + stream * size + i]
        sum += gradient * gradient
      }
      start += streams * size
    }
    return sum.squareRoot()
  }
}
