import RunnelTraining

/// The epochs of a training run, and when each was done.
struct TrainingCourse {
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var epochs: [(record: EpochRecord, seconds: Double)] = []

  /// Time counts from now.
  init() { start = clock.now }

  /// Takes note of an epoch that is done.
  mutating func append(_ record: EpochRecord) {
    epochs.append((record, start.duration(to: clock.now) / .seconds(1)))
  }

  /// An object for each epoch.
  var json: JSON {
    .array(
      epochs.map { epoch in
        [
          "epoch": .integer(epoch.record.epoch), "seconds": .number(epoch.seconds),
          "loss": .number(epoch.record.training.loss),
          epoch.record.training.metricKind.name: .number(epoch.record.training.metric),
          "validationLoss": epoch.record.validation.map { .number($0.loss) } ?? .null,
        ]
      })
  }
}
