/// A network with its parameters: what training gives, and what is exported.
public struct TrainedNetwork: Sendable {
  /// What the network is made of.
  public let specification: NetworkSpecification
  let network: Network
  /// By programs.
  let normalisations: [Normalisation?]
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
      network, specification, normalisations, sequences,
      ThreadTeam(size: threads ?? processorCount()))
    return evaluator.evaluate(parameters)
  }

  /// The prediction at every frame of a sequence that starts from reset, computed in Double.
  ///
  /// - Parameters:
  ///   - inputs: The frames of the last program, shape `[frames, width]`, each a finite number or, for
  ///     an index input, a whole number in range.
  ///   - context: What the programs before it take in.
  /// - Returns: The predictions, shape `[frames, outputSize]`, after the softmax or sigmoid that
  ///   the loss implies.
  public func predictions(
    for inputs: [Float], context: [TrainingSequence.Context] = []
  ) -> [Float] {
    outputs(for: context.map(\.inputs) + [inputs], fused: false).last!
  }

  /// The outputs of all programs for a sequence that starts from reset: of the last one after the
  /// non-linearity that the loss implies.
  ///
  /// - Parameters:
  ///   - inputs: The frames of each program.
  ///   - fused: Whether a normalisation rounds once, or twice.
  func outputs(for inputs: [[Float]], fused: Bool) -> [[Float]] {
    precondition(inputs.count == network.programs.count, "frames for each program")
    let unroll = Unroll<Double>(network)
    unroll.reset(streams: 1)
    let parameters = parameters.map { Double($0) }
    return inputs.enumerated().map { number, inputs in
      let program = network.programs[number]
      let width = program.input.width
      precondition(inputs.count.isMultiple(of: width), "whole frames")
      let window = Window(lengths: [inputs.count / width])
      unroll.begin(window, program: number)
      for (i, value) in inputs.enumerated() {
        // Normalised in Float, as the runtime does.
        let normalised =
          normalisations[number].map {
            let (scale, shift) = ($0.scale[i % width], $0.shift[i % width])
            return fused ? shift.addingProduct(value, scale) : value * scale + shift
          } ?? value
        unsafe unroll.input(of: number)[i] = Double(normalised)
      }
      unsafe unroll.forward(parameters: parameters, random: nil, program: number)
      let (size, isLast) = (program.outputSize, number == network.programs.count - 1)
      return (0..<window.rows).flatMap { row in
        let outputs = (0..<size).map { unsafe unroll.output(of: number)[row * size + $0] }
        return (isLast ? specification.loss.activated(outputs) : outputs).map { Float($0) }
      }
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
