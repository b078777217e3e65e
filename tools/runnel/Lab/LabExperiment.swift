import RunnelLab
import RunnelTraining

/// An experiment as the command sees it.
struct LabExperiment: Sendable {
  /// What it is asked for by, and what its files are called.
  let name: String
  /// How many cases it has.
  let caseCount: Int
  /// Its work, in a unit that all experiments share.
  let cost: Double
  /// Computes it, on so many threads; the report hears of work done and cases finished.
  let run:
    @Sendable (Int, @escaping @Sendable (Double, Int) -> TrainingDirection) throws(TrainingError) ->
      LabReport

  private init<E: Experiment>(
    _ name: String, _ experiment: E, report: @escaping @Sendable ([E.Outcome]) -> LabReport
  ) {
    self.name = name
    caseCount = experiment.cases.count
    cost = experiment.cases.reduce(0) { $0 + experiment.cost(of: $1) }
    run = { threads, progress throws(TrainingError) in
      report(try experiment.outcomes(threads: threads, report: progress))
    }
  }

  /// All experiments.
  static func all(_ scale: LabScale, seeds: Int) -> [LabExperiment] {
    let truncation = Truncation(scale, seeds: seeds)
    return [
      LabExperiment("adding", CellComparison.adding(scale, seeds: seeds)) { .adding($0) },
      LabExperiment("copying", CellComparison.copying(scale, seeds: seeds)) { .copying($0) },
      LabExperiment("gradients", GradientFlow(scale, seeds: seeds)) { .gradients($0) },
      LabExperiment("clipping", Clipping(scale, seeds: seeds)) { .clipping($0) },
      LabExperiment("truncation", truncation) { .truncation($0, length: truncation.length) },
    ]
  }
}
