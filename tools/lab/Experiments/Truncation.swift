package import RunnelTraining

/// Full against truncated BPTT: a GRU learns to recall a bit over lags that are longer and shorter
/// than the windows that gradients look back over.
package struct Truncation: Experiment {
  package struct Case: Equatable, Sendable {
    /// The frames from showing a bit to asking for it.
    package let lag: Int
    /// The frames of a window; `nil` for whole sequences.
    package let window: Int?
    package let seed: UInt64
  }

  /// What a run came to.
  package struct Outcome: Equatable, Sendable {
    package let run: Case
    /// The share of bits that are recalled, of other sequences.
    package let accuracy: Double
    /// The time of an epoch, on one thread: the shortest, which other programs disturbed least.
    package let secondsPerEpoch: Double
  }

  package let cases: [Case]
  /// The frames of a sequence.
  package let length: Int
  private let sequences: Int
  private let epochs: Int

  private static let hidden = 24

  package init(_ scale: LabScale, seeds: Int) {
    switch scale {
    case .full:
      self.init(
        lags: [4, 8, 20, 30], windows: [5, 10, 25, 50, nil], length: 200, sequences: 300,
        epochs: 30, seeds: seeds)
    case .quick:
      self.init(
        lags: [3], windows: [2, nil], length: 20, sequences: 50, epochs: 3, seeds: seeds)
    }
  }

  /// The experiment at some size.
  package init(
    lags: [Int], windows: [Int?], length: Int, sequences: Int, epochs: Int, seeds: Int
  ) {
    self.length = length
    self.sequences = sequences
    self.epochs = epochs
    cases = lags.flatMap { lag in
      windows.flatMap { window in
        (1...seeds).map { Case(lag: lag, window: window, seed: UInt64($0)) }
      }
    }
  }

  package func cost(of one: Case) -> Double {
    Double(3 * Self.hidden * (Self.hidden + 3)) * Double(sequences * epochs * length)
  }

  package func outcome(
    of one: Case, report: (Double) -> TrainingDirection
  ) throws(TrainingError) -> Outcome {
    let task = RecallTask(lag: one.lag, length: length)
    let trainer = try Trainer(
      specification: task.network(.gru(hidden: Self.hidden, variant: .resetAfter)),
      settings: TrainingSettings(
        epochs: epochs, batchSize: 16, window: one.window, schedule: .cosine(rate: 2e-2),
        clipNorm: 1, seed: one.seed, threads: 1),
      training: task.sequences(sequences, seed: one.seed, split: .training))
    let clock = ContinuousClock()
    var shortest = Double.infinity
    var start = clock.now
    let network = try trainer.run { progress in
      if progress.completedEpoch != nil {
        let now = clock.now
        shortest = min(shortest, start.duration(to: now) / .seconds(1))
        start = now
      }
      return report(progress.fraction)
    }
    let test = task.sequences(200, seed: one.seed, split: .test)
    return Outcome(
      run: one, accuracy: try network.evaluate(test, threads: 1).metric,
      secondsPerEpoch: shortest)
  }
}
