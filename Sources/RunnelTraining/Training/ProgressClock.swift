/// Says how far a run is, and how long the rest will take.
struct ProgressClock {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let startFraction: Double

  /// A clock that starts when this much of the run is done.
  init(fraction: Double) {
    start = clock.now
    startFraction = fraction
  }

  func progress(of run: TrainingRun) -> TrainingProgress {
    let state = run.state
    let isEpochEnd = state.minibatch == 0
    let fraction = run.isFinished ? 1 : run.fraction
    let elapsed = start.duration(to: clock.now) / .seconds(1)
    let done = fraction - startFraction
    return TrainingProgress(
      epoch: isEpochEnd ? state.epoch : state.epoch + 1, epochs: run.epochs,
      minibatch: isEpochEnd ? run.minibatches : state.minibatch, minibatches: run.minibatches,
      fraction: fraction, secondsLeft: done > 0 ? elapsed / done * (1 - fraction) : .infinity,
      training: run.training, gradientNorm: run.largestNorm,
      completedEpoch: isEpochEnd ? state.history.last : nil)
  }
}
