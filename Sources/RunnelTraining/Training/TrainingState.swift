/// Everything that a run has come to: what a checkpoint holds.
///
/// Random numbers are not in it: the seed, the epoch and the minibatch determine them.
struct TrainingState: Equatable {
  /// Parameters that had the lowest validation loss so far.
  struct Best: Equatable {
    var epoch: Int
    var loss: Double
    var parameters: [Float]
  }
  var parameters: [Float]
  /// The moving average of the parameters; empty where there is none.
  var averaged: [Float]
  var optimizer: Optimizer<Float>
  /// The epochs that are done.
  var epoch = 0
  /// The minibatches of the next epoch that are done.
  var minibatch = 0
  /// The sums over these minibatches.
  var epochScore = Score()
  var history: [EpochRecord] = []
  var best: Best?

  /// The state that a run begins with.
  init(startOf trainer: Trainer) {
    parameters = trainer.network.initialParameters(seed: trainer.settings.seed)
    averaged = trainer.settings.averaging == nil ? [] : parameters
    optimizer = Optimizer(trainer.settings.optimizer, parameterCount: parameters.count)
  }

  /// Moves the parameters along their gradients.
  mutating func update(_ gradients: UnsafePointer<Float>, rate: Double) {
    unsafe optimizer.update(&parameters, gradients: gradients, rate: rate)
  }

  /// Moves the average; the first updates count for more, so that the start is soon forgotten.
  mutating func average(_ averaging: Float) {
    let updates = Float(optimizer.updates)
    let decay = min(averaging, (1 + updates) / (10 + updates))
    for i in averaged.indices {
      averaged[i] = decay * averaged[i] + (1 - decay) * parameters[i]
    }
  }

  /// What is validated and exported.
  var served: [Float] { averaged.isEmpty ? parameters : averaged }
}
