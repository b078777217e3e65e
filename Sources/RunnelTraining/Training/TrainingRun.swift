/// A run of a ``Trainer``: its state, and the buffers that take it from minibatch to minibatch.
final class TrainingRun {
  private let trainer: Trainer
  private let settings: TrainingSettings
  private let team: ThreadTeam
  private let shards: [Shard]
  private let evaluator: Evaluator
  /// The sequences in the order of this epoch.
  private var order: [Int] = []
  private var orderedEpoch = -1
  private(set) var state: TrainingState
  /// The learning rate of the latest update.
  private var learningRate = 0.0
  /// The largest norm of a gradient, before it was clipped, in the latest minibatch.
  private(set) var largestNorm = 0.0

  /// How many streams are enough for one shard: a tile of a product.
  private static let smallestShard = 8
  /// How many streams a shard has at most, unless there would be more than ``mostShards``: two tiles,
  /// for which weights come from L2 once.
  private static let largestShard = 16
  private static let mostShards = 8
  /// How many minibatches are made of sequences that are sorted by length together.
  private static let bucketMinibatches = 32
  /// How many gradients one call of the reduction adds up.
  private static let reductionSize = 1 << 14

  init(_ trainer: Trainer, resuming state: TrainingState?) {
    let (network, settings) = (trainer.network, trainer.settings)
    self.trainer = trainer
    self.settings = settings
    team = ThreadTeam(size: settings.threads ?? processorCount())
    shards = (0..<Self.shardCount(min(settings.batchSize, trainer.training.count))).map { _ in
      Shard(network, trainer.specification, trainer.normalisations, trainer.training)
    }
    evaluator = Evaluator(
      network, trainer.specification, trainer.normalisations, trainer.validation, team)
    self.state = state ?? TrainingState(startOf: trainer)
  }

  /// How many shards a minibatch of so many sequences has; the processors do not matter.
  ///
  /// A power of two, which processors can share evenly.
  private static func shardCount(_ size: Int) -> Int {
    var count = size > smallestShard ? 2 : 1
    while count < mostShards && count * largestShard < size { count *= 2 }
    return count
  }

  /// The minibatches of an epoch.
  var minibatches: Int {
    (trainer.training.count + settings.batchSize - 1) / settings.batchSize
  }
  /// How many epochs there will be, if nothing stops the run early.
  var epochs: Int { settings.epochs }
  /// Loss and metric over the minibatches of this epoch, or of the one that has just ended.
  var training: Evaluation {
    state.minibatch == 0 && !state.history.isEmpty
      ? state.history.last!.training : state.epochScore.evaluation(of: trainer.specification.loss)
  }
  /// How much of the whole run is done, from 0 to 1.
  var fraction: Double {
    (Double(state.epoch) + Double(state.minibatch) / Double(minibatches)) / Double(epochs)
  }

  /// Whether there is nothing left to do: all epochs are done, or patience is at its end.
  var isFinished: Bool {
    if state.epoch >= epochs { return true }
    guard let patience = settings.patience, let best = state.best, state.minibatch == 0 else {
      return false
    }
    return state.epoch - best.epoch >= patience
  }

  /// Throws ``TrainingError/diverged(epoch:minibatch:)`` if a parameter is not finite.
  func checkParameters() throws(TrainingError) {
    guard state.parameters.allSatisfy(\.isFinite) else { throw divergence }
  }

  private var divergence: TrainingError {
    .diverged(epoch: state.epoch + 1, minibatch: state.minibatch + 1)
  }

  /// What the run gives: the best network so far.
  var network: TrainedNetwork {
    TrainedNetwork(
      specification: trainer.specification, network: trainer.network,
      normalisations: trainer.normalisations, parameters: state.best?.parameters ?? state.served,
      history: state.history, epoch: state.best?.epoch ?? state.epoch)
  }

  /// Visits the next sequences: one update, or, with truncated BPTT, one for each window.
  func trainMinibatch() throws(TrainingError) {
    let used = startShards()
    let length = shards[..<used].map(\.length).max() ?? 0
    let window = settings.window ?? length
    learningRate = settings.schedule.rate(fraction: fraction, epoch: state.epoch)
    largestNorm = 0
    for start in stride(from: 0, to: length, by: window) {
      try trainWindow(from: start, frames: window, shards: used)
    }
    state.minibatch += 1
  }

  /// Deals the minibatch's visits to shards, so that each has long and short ones.
  private func startShards() -> Int {
    if orderedEpoch != state.epoch {
      var random = RandomGenerator(
        seed: settings.seed, purpose: .shuffling, keys: UInt64(state.epoch))
      order = trainer.training.indices.shuffled(using: &random)
      if settings.buckets { order = bucketed(order) }
      orderedEpoch = state.epoch
    }
    let first = state.minibatch * settings.batchSize
    let visits = order[first...].prefix(settings.batchSize).map(visit).sorted {
      ($0.frames.count, $1.sequence) > ($1.frames.count, $0.sequence)
    }
    let used = Self.shardCount(visits.count)
    for shard in 0..<used {
      shards[shard].start(stride(from: shard, to: visits.count, by: used).map { visits[$0] })
    }
    return used
  }

  /// Brings sequences of about the same length together: within every so many minibatches of a random
  /// order, by length; and these minibatches in random order.
  private func bucketed(_ order: [Int]) -> [Int] {
    var random = RandomGenerator(
      seed: settings.seed, purpose: .buckets, keys: UInt64(state.epoch))
    let size = settings.batchSize
    func length(_ sequence: Int) -> Int {
      let sequence = trainer.training[sequence]
      return sequence.context.reduce(sequence.length) { $0 + $1.length }
    }
    // The minibatch that is not full stays the last one.
    let full = order.count / size * size
    let sorted = stride(from: 0, to: full, by: Self.bucketMinibatches * size).flatMap { start in
      order[start..<min(start + Self.bucketMinibatches * size, full)]
        .sorted { (length($0), $0) < (length($1), $1) }
    }
    let minibatches = stride(from: 0, to: full, by: size).shuffled(using: &random)
    return minibatches.flatMap { sorted[$0..<($0 + size)] } + order[full...]
  }

  /// A visit of the whole sequence, or of a random run of its frames.
  private func visit(_ sequence: Int) -> Shard.Visit {
    let length = trainer.training[sequence].length
    guard let fraction = settings.minimumCropFraction else {
      return Shard.Visit(sequence: sequence, frames: 0..<length)
    }
    var random = RandomGenerator(
      seed: settings.seed, purpose: .cropping, keys: UInt64(state.epoch), UInt64(sequence))
    let shortest = min(max(Int((Float(length) * fraction).rounded(.up)), 1), length)
    let count = shortest + random.index(below: length - shortest + 1)
    let start = random.index(below: length - count + 1)
    return Shard.Visit(sequence: sequence, frames: start..<(start + count))
  }

  /// One window of all streams: forward, backward, and one update of the parameters.
  private func trainWindow(from start: Int, frames: Int, shards used: Int) throws(TrainingError) {
    var weights = [Double](repeating: 0, count: used)
    var scores = [Score](repeating: Score(), count: used)
    unsafe state.parameters.withUnsafeBufferPointer { parameters in
      unsafe weights.withUnsafeMutableBufferPointer { weights in
        unsafe scores.withUnsafeMutableBufferPointer { scores in
          // SAFETY: Each call has a shard of its own, and writes that shard's numbers only.
          let parameters = parameters.baseAddress!
          let weights = weights.baseAddress!
          let scores = scores.baseAddress!
          team.run(used) { shard in
            unsafe weights[shard] = shards[shard].load(from: start, frames: frames)
            unsafe shards[shard].forward(
              parameters: parameters, random: random(shard: shard, start: start),
              sampling: fraction * Double(settings.scheduledSampling))
          }
          var weight = 0.0
          for shard in 0..<used { unsafe weight += weights[shard] }
          guard weight > 0 else { return }
          team.run(used) { shard in
            unsafe scores[shard] = shards[shard].scoreWithoutLoss()
            unsafe scores[shard].loss = shards[shard].backward(
              parameters: parameters, labelSmoothing: settings.labelSmoothing,
              scale: Float(1 / weight))
          }
        }
      }
    }
    let score = scores.reduce(into: Score(), +=)
    guard score.loss.isFinite else { throw divergence }
    guard score.weight > 0 else { return }
    state.epochScore += score
    try update(shards: used)
  }

  /// The random numbers of one shard's layers in one window.
  private func random(shard: Int, start: Int) -> RandomGenerator {
    RandomGenerator(
      seed: settings.seed, purpose: .layers, keys: UInt64(state.epoch), UInt64(state.minibatch),
      UInt64(start), UInt64(shard))
  }

  /// Adds the shards' gradients up, in order, and moves the parameters.
  private func update(shards used: Int) throws(TrainingError) {
    let count = trainer.network.parameterCount
    let gradients = unsafe shards[0].unroll.gradients
    let parts = (count + Self.reductionSize - 1) / Self.reductionSize
    team.run(parts) { part in
      let range = (part * Self.reductionSize)..<min((part + 1) * Self.reductionSize, count)
      for shard in 1..<max(used, 1) {
        let others = unsafe shards[shard].unroll.gradients
        unsafe Float.add(
          others + range.lowerBound, to: gradients + range.lowerBound, count: range.count)
      }
    }
    let norm = unsafe gradientNorm(gradients, count: count)
    guard norm.isFinite else { throw divergence }
    largestNorm = max(largestNorm, norm)
    if let limit = settings.clipNorm {
      unsafe clip(gradients, count: count, norm: norm, limit: Double(limit))
    }
    unsafe state.update(gradients, rate: learningRate)
    if let averaging = settings.averaging { state.average(averaging) }
  }

  /// Validates, records the epoch and keeps the parameters if they are the best so far.
  func completeEpoch() throws(TrainingError) {
    try checkParameters()
    let validation = trainer.validation.isEmpty ? nil : evaluator.evaluate(state.served)
    guard validation?.loss.isFinite ?? true else { throw divergence }
    state.epoch += 1
    state.history.append(
      EpochRecord(
        epoch: state.epoch, learningRate: Float(learningRate),
        training: state.epochScore.evaluation(of: trainer.specification.loss),
        validation: validation))
    if let validation, validation.loss < state.best?.loss ?? .infinity {
      state.best = TrainingState.Best(
        epoch: state.epoch, loss: validation.loss, parameters: state.served)
    }
    state.minibatch = 0
    state.epochScore = Score()
  }
}
