import RunnelTraining
import Synchronization

/// Shows how far all experiments together are.
final class LabProgress: Sendable {
  private struct State {
    var line = ProgressLine(name: "lab")
    /// The work of the experiments that are done.
    var done = 0.0
  }

  private let state = Mutex(State())
  private let cost: Double
  private let isQuiet: Bool
  private let start = ContinuousClock.now

  init(_ experiments: [LabExperiment], isQuiet: Bool) {
    cost = experiments.reduce(0) { $0 + $1.cost }
    self.isQuiet = isQuiet
  }

  /// Takes note of the work and the cases of an experiment that are done.
  func show(_ experiment: LabExperiment, done: Double, cases: Int) {
    guard !isQuiet else { return }
    state.withLock { state in
      guard state.line.isDue else { return }
      draw(&state, experiment, fraction: (state.done + done) / cost, cases: cases)
    }
  }

  /// Takes note of an experiment that is done.
  func finish(_ experiment: LabExperiment) {
    state.withLock { state in
      state.done += experiment.cost
      guard !isQuiet else { return }
      draw(&state, experiment, fraction: state.done / cost, cases: experiment.caseCount)
      state.line.finish()
    }
  }

  private func draw(
    _ state: inout State, _ experiment: LabExperiment, fraction: Double, cases: Int
  ) {
    let elapsed = start.duration(to: .now) / .seconds(1)
    let left = fraction > 0 ? elapsed / fraction * (1 - fraction) : .infinity
    state.line.draw(
      fraction: fraction, ["\(experiment.name) \(cases)/\(experiment.caseCount)"],
      secondsLeft: left)
  }
}
