import RunnelLab
import RunnelTraining

extension LabReport {
  /// The courses of runs with and without a limit for the gradient's norm.
  static func clipping(_ outcomes: [Clipping.Outcome]) -> LabReport {
    let limits = outcomes.map(\.run.clipNorm).distinct
    func runs(_ limit: Float?) -> [Clipping.Outcome] {
      outcomes.filter { $0.run.clipNorm == limit }
    }
    func panel(
      _ title: String, _ y: Plot.Axis, level: (name: String, value: Double)? = nil,
      value: (Clipping.Point) -> Double
    ) -> Plot.Panel {
      Plot.Panel(
        title: title,
        x: .linear("epoch", through: Double(outcomes.map(\.points.count).max()!)), y: y,
        series: zip(limits, ["b", "d", "a"]).map { limit, style in
          let runs = runs(limit)
          let ends = runs.filter(\.hasDiverged).compactMap(\.points.last)
          return Plot.Series(
            name: limit.title, style: style,
            lines: runs.map { $0.points.map { (Double($0.epoch), value($0)) } },
            rings: ends.map { (Double($0.epoch), value($0)) })
        }, level: level)
    }
    return LabReport(
      columns: [
        "clip_norm", "seed", "epoch", "training_error", "gradient_norm", "state", "test_error",
      ],
      rows: outcomes.flatMap(\.rows),
      plot: Plot(
        title: "Clipping",
        panels: [
          panel(
            "A ReLU RNN and too long steps; a line a seed, a ring where it diverges",
            .decades("mean squared error while learning", -3...2),
            level: ("guessing, 1/6", AddingProblem.errorOfGuessing)
          ) { $0.loss },
          panel(
            "The gradients before they are clipped",
            .decades("largest norm of a gradient in an epoch", -1...6)
          ) { $0.gradientNorm },
        ]),
      title: "clipping: runs that diverge, and the mean squared error of the others, median",
      findings: [["limit", "diverged", "error"]]
        + limits.map { limit in
          let runs = runs(limit)
          let errors = runs.compactMap(\.testError)
          return [
            limit.title, "\(runs.count(where: \.hasDiverged)) of \(runs.count)",
            errors.isEmpty ? "-" : errors.median.brief,
          ]
        })
  }
}

extension Clipping.Outcome {
  /// A row for each epoch, and one for the epoch in which it diverged.
  fileprivate var rows: [[String]] {
    let first = [run.clipNorm.map { "\($0)" } ?? "none", "\(run.seed)"]
    var rows = points.map { point in
      first + ["\(point.epoch)", "\(point.loss)", "\(point.gradientNorm)", "finite", ""]
    }
    if let testError {
      rows[rows.count - 1][6] = "\(testError)"
    } else {
      rows.append(first + ["\(points.count + 1)", "", "", "diverged", ""])
    }
    return rows
  }
}

extension Float? {
  fileprivate var title: String { map { "limit \(Double($0).short)" } ?? "no limit" }
}
