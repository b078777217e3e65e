public import Runnel

/// A network with its parameters: what training gives, and what is exported.
public struct TrainedNetwork: Equatable, Sendable {
  /// What the network is made of.
  public let specification: NetworkSpecification
  /// The training curve, one record an epoch.
  public let history: [EpochRecord]
  /// The epoch, from 1, whose parameters these are.
  public let epoch: Int

  /// The mean loss and the metric on sequences.
  ///
  /// - Throws: ``TrainingError/data(_:split:sequence:frame:)`` if a sequence does not fit.
  public func evaluate(_ sequences: [TrainingSequence]) throws(TrainingError) -> Evaluation {
    throw .noSequences
  }

  /// The prediction at every frame of a sequence that starts from reset.
  ///
  /// - Parameter inputs: The frames, shape `[frames, width]`.
  /// - Returns: The predictions, shape `[frames, outputSize]`, after the softmax or sigmoid that
  ///   the loss implies.
  public func predictions(for inputs: [Float]) -> [Float] { [] }

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
  ///     network's own predictions for them, computed in Double, are written beside them.
  public func description(
    name: String, labels: [String] = [], provenance: [String] = [], frameRate: Double? = nil,
    inputName: String = "frame", outputName: String = "prediction", golden: [[Float]] = []
  ) -> ModelDescription { ModelDescription() }
}
