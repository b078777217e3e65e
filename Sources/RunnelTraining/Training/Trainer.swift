/// Trains a network on sequences.
public struct Trainer: Sendable {
  /// Checks everything and prepares a run.
  ///
  /// - Parameters:
  ///   - specification: What the network is made of.
  ///   - settings: How it is trained.
  ///   - training: What it learns from.
  ///   - validation: What early stopping looks at; `nil` sets a share of `training` aside, as
  ///     ``TrainingSettings/validationFraction`` says.
  /// - Throws: ``TrainingError`` that says which layer, setting, or sequence and frame is wrong.
  public init(
    specification: NetworkSpecification, settings: TrainingSettings,
    training: [TrainingSequence], validation: [TrainingSequence]? = nil
  ) throws(TrainingError) {
    throw .noSequences
  }

  /// Trains, from the beginning or from a checkpoint.
  ///
  /// - Parameters:
  ///   - checkpoint: Where the run saves itself, and resumes from if the file is there.
  ///   - progress: Called after every minibatch and every epoch; says whether to go on.
  /// - Returns: The network with the lowest validation loss, or, without validation, the last.
  /// - Throws: ``TrainingError/diverged(epoch:minibatch:)`` when the loss is no longer finite,
  ///   ``TrainingError/stopped(epoch:minibatch:)``, or what is wrong with the checkpoint.
  public func run(
    checkpoint: CheckpointPlan? = nil,
    progress: (TrainingProgress) -> TrainingDirection = { _ in .proceed }
  ) throws(TrainingError) -> TrainedNetwork {
    throw .noSequences
  }
}
