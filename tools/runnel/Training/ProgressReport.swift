import RunnelTraining

/// Shows how far a training run is: one line that is redrawn on a terminal, otherwise a line every
/// few seconds.
struct ProgressReport {
  private let name: String
  private let isQuiet: Bool
  private let isTerminal = StandardError.isTerminal
  private var shown = 0
  private var latest: TrainingProgress?
  private var validation: Evaluation?

  private static let barWidth = 20

  init(name: String, isQuiet: Bool) {
    self.name = name
    self.isQuiet = isQuiet
  }

  /// Takes note of a state, and shows it if it is time to.
  mutating func show(_ progress: TrainingProgress) {
    if let record = progress.completedEpoch { validation = record.validation ?? validation }
    latest = progress
    let now = nanoseconds()
    guard !isQuiet, now - shown >= (isTerminal ? 100_000_000 : 5_000_000_000) else { return }
    shown = now
    draw(progress)
  }

  /// Shows the last state.
  func finish() {
    guard !isQuiet, let latest else { return }
    draw(latest)
    if isTerminal { StandardError.write("\n") }
  }

  private func draw(_ progress: TrainingProgress) {
    let done = min(Self.barWidth, Int(progress.fraction * Double(Self.barWidth)))
    let bar =
      String(repeating: "#", count: done) + String(repeating: ".", count: Self.barWidth - done)
    var parts = [
      "\(name) [\(bar)] \("\(Int(progress.fraction * 100))".padded(to: 3)) %",
      "epoch \(progress.epoch)/\(progress.epochs)", Self.text(progress.training),
    ]
    if let validation { parts.append("validation " + Self.text(validation)) }
    parts.append("left \(Self.duration(progress.secondsLeft))")
    let line = parts.joined(separator: "  ")
    StandardError.write(isTerminal ? "\r\(line)\u{1B}[K" : line + "\n")
  }

  private static func text(_ evaluation: Evaluation) -> String {
    "loss \(evaluation.loss.fixed(4)), \(evaluation.metricKind.name) "
      + evaluation.metric.fixed(3)
  }

  /// A time such as `1:05` or `2:03:45`.
  private static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, 0..<1e8 ~= seconds else { return "?" }
    let total = Int(seconds.rounded(.up))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let minutes = total / 60 % 60
    return total >= 3600
      ? "\(total / 3600):\(two(minutes)):\(two(total % 60))" : "\(minutes):\(two(total % 60))"
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
