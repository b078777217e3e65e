import RunnelTraining

/// Shows how far a training run is.
struct ProgressReport {
  private let isQuiet: Bool
  private var line: ProgressLine
  private var latest: TrainingProgress?
  private var validation: Evaluation?

  init(name: String, isQuiet: Bool) {
    self.isQuiet = isQuiet
    line = ProgressLine(name: name)
  }

  /// Takes note of a state, and shows it if it is time to.
  mutating func show(_ progress: TrainingProgress) {
    if let record = progress.completedEpoch { validation = record.validation ?? validation }
    latest = progress
    guard !isQuiet, line.isDue else { return }
    draw(progress)
  }

  /// Shows the last state.
  mutating func finish() {
    guard !isQuiet, let latest else { return }
    draw(latest)
    line.finish()
  }

  private mutating func draw(_ progress: TrainingProgress) {
    var parts = ["epoch \(progress.epoch)/\(progress.epochs)", Self.text(progress.training)]
    if let validation { parts.append("validation " + Self.text(validation)) }
    line.draw(fraction: progress.fraction, parts, secondsLeft: progress.secondsLeft)
  }

  private static func text(_ evaluation: Evaluation) -> String {
    "loss \(evaluation.loss.fixed(4)), \(evaluation.metricKind.name) "
      + evaluation.metric.fixed(3)
  }
}

extension Evaluation.MetricKind {
  /// The metric's name.
  var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .rootMeanSquaredError: "error"
    }
  }
}
