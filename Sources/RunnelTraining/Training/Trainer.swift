/// Trains a network on sequences.
///
/// Each minibatch is split into shards of streams, whose number depends on its size only; threads
/// compute the shards, and their gradients are added in order. So a run gives the same bits on any
/// number of threads.
public struct Trainer: Sendable {
  /// What the network is made of.
  public let specification: NetworkSpecification
  /// How it is trained.
  public let settings: TrainingSettings
  /// The sequences that the network learns from, without those set aside.
  public let training: [TrainingSequence]
  /// The sequences that early stopping looks at; may be none.
  public let validation: [TrainingSequence]
  /// How many parameters the network has.
  public var parameterCount: Int { network.parameterCount }
  let network: Network
  /// By programs.
  let normalisations: [Normalisation?]

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
    network = try Network(specification)
    let hasValidation = validation.map { !$0.isEmpty } ?? (settings.validationFraction > 0)
    let outputSize = network.outputSize
    try settings.validate(
      for: specification, outputSize: outputSize, hasValidation: hasValidation)
    guard !training.isEmpty else { throw .noSequences }
    try training.validate(for: specification, outputSize: outputSize, split: .training)
    if let validation {
      try validation.validate(for: specification, outputSize: outputSize, split: .validation)
      (self.training, self.validation) = (training, validation)
    } else {
      (self.training, self.validation) = validationSplit(
        of: training, fraction: settings.validationFraction, seed: settings.seed)
      guard !self.training.isEmpty else { throw .setting(.validationFraction) }
    }
    self.specification = specification
    self.settings = settings
    normalisations = try Normalisation.all(specification, self.training)
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
    let file = checkpoint.map { CheckpointFile($0, trainer: self) }
    let run = TrainingRun(self, resuming: try file?.read())
    let clock = ProgressClock(fraction: run.fraction)
    while !run.isFinished {
      try run.trainMinibatch()
      let isEpochEnd = run.state.minibatch == run.minibatches
      var direction = progress(clock.progress(of: run))
      if isEpochEnd {
        try run.completeEpoch()
        if progress(clock.progress(of: run)) == .stop { direction = .stop }
      }
      if let file, direction == .stop || file.isDue(run) {
        try run.checkParameters()
        try file.write(run.state)
      }
      if direction == .stop {
        throw .stopped(epoch: run.state.epoch, minibatch: run.state.minibatch)
      }
    }
    return run.network
  }
}
