/// A network with its parameters: what training gives, and what is exported.
public struct TrainedNetwork: Sendable {
  /// What the network is made of.
  public let specification: NetworkSpecification
  let network: Network
  let normalisation: Normalisation?
  /// All parameters, in the order of ``Network/slices``.
  package let parameters: [Float]
  /// The training curve, one record an epoch.
  public let history: [EpochRecord]
  /// The epoch, from 1, whose parameters these are.
  public let epoch: Int

  /// The mean loss and the metric on sequences.
  ///
  /// - Parameters:
  ///   - sequences: At least one.
  ///   - threads: How many threads compute; the result does not depend on it.
  /// - Throws: ``TrainingError/data(_:split:sequence:frame:)`` if a sequence does not fit, and
  ///   ``TrainingError/noSequences``.
  public func evaluate(
    _ sequences: [TrainingSequence], threads: Int? = nil
  ) throws(TrainingError) -> Evaluation {
    guard !sequences.isEmpty else { throw .noSequences }
    guard threads.map({ $0 >= 1 }) ?? true else { throw .setting(.threads) }
    try sequences.validate(
      for: specification, outputSize: network.outputSize, split: .evaluation)
    let evaluator = Evaluator(
      network, specification, normalisation, sequences, threads: threads ?? processorCount())
    return evaluator.evaluate(parameters)
  }

  /// The prediction at every frame of a sequence that starts from reset, computed in Double.
  ///
  /// - Parameter inputs: The frames, shape `[frames, width]`, each a finite number or, for an index
  ///   input, a whole number in range.
  /// - Returns: The predictions, shape `[frames, outputSize]`, after the softmax or sigmoid that
  ///   the loss implies.
  public func predictions(for inputs: [Float]) -> [Float] { predictions(for: inputs, fused: false) }

  /// The predictions, with a normalisation that rounds once (`fused`) or twice.
  func predictions(for inputs: [Float], fused: Bool) -> [Float] {
    let width = specification.input.width
    precondition(inputs.count.isMultiple(of: width), "whole frames")
    let window = Window(lengths: [inputs.count / width])
    let unroll = Unroll<Double>(network)
    unroll.reset(streams: 1)
    unroll.begin(window)
    for (i, value) in inputs.enumerated() {
      // Normalised in Float, as the runtime does.
      let normalised =
        normalisation.map {
          let (scale, shift) = ($0.scale[i % width], $0.shift[i % width])
          return fused ? shift.addingProduct(value, scale) : value * scale + shift
        } ?? value
      unsafe unroll.input[i] = Double(normalised)
    }
    unsafe unroll.forward(parameters: parameters.map { Double($0) }, random: nil)
    let size = network.outputSize
    return (0..<window.rows).flatMap { row in
      let outputs = (0..<size).map { unsafe unroll.output[row * size + $0] }
      return specification.loss.activated(outputs).map { Float($0) }
    }
  }
}

extension Loss {
  /// The outputs after the non-linearity that the loss contains.
  fileprivate func activated(_ outputs: [Double]) -> [Double] {
    switch self {
    case .softmaxCrossEntropy:
      let largest = outputs.max() ?? 0
      let exponentials = outputs.map { Double.exponential($0 - largest) }
      let sum = exponentials.reduce(0, +)
      return exponentials.map { $0 / sum }
    case .sigmoidCrossEntropy: return outputs.map { 1 / (1 + Double.exponential(-$0)) }
    case .meanSquaredError: return outputs
    }
  }
}
