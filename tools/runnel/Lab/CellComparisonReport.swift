import RunnelLab
import RunnelTraining

extension LabReport {
  /// The adding problem: the error of each cell by the length of sequences.
  static func adding(_ outcomes: [CellComparison.Outcome]) -> LabReport {
    let errors = outcomes.map { $0.test.loss }
    let guessing = AddingProblem.errorOfGuessing
    return comparison(
      outcomes, errors, columns: ("length", "mean_squared_error"),
      plot: Plot.Panel(
        title: "Adding problem, three cells with as many parameters",
        x: .values("frames in a sequence", lags(outcomes).map(Double.init)),
        y: .decades("mean squared error on other sequences", -5...0),
        series: series(outcomes, errors), level: ("guessing, 1/6", guessing)),
      title: "adding: mean squared error by length, median, and how often below 1/60",
      isSolved: { $0 < guessing / 10 })
  }

  /// The copy task: the accuracy of each cell by the lag.
  static func copying(_ outcomes: [CellComparison.Outcome]) -> LabReport {
    let shares = outcomes.map { $0.test.metric }
    return comparison(
      outcomes, shares, columns: ("lag", "accuracy"),
      plot: Plot.Panel(
        title: "Copy task, three cells with as many parameters",
        x: .values("frames between the symbols and their recall", lags(outcomes).map(Double.init)),
        y: .linear("share of symbols that are recalled, of other sequences", through: 1),
        series: series(outcomes, shares),
        level: ("guessing, 1/8", CopyTask.accuracyOfGuessing)),
      title: "copying: share of symbols recalled by lag, median, and how often above 0.9",
      isSolved: { $0 > 0.9 })
  }

  private static func comparison(
    _ outcomes: [CellComparison.Outcome], _ values: [Double],
    columns: (lag: String, value: String), plot: Plot.Panel, title: String,
    isSolved: (Double) -> Bool
  ) -> LabReport {
    let rows = zip(outcomes, values).map { outcome, value in
      [
        outcome.run.cell.rawValue, "\(outcome.run.hidden)", "\(outcome.parameterCount)",
        "\(outcome.run.lag)", "\(outcome.run.seed)", "\(value)",
      ]
    }
    let lags = lags(outcomes)
    let findings = Cell.allCases.map { cell in
      let hidden = outcomes.first { $0.run.cell == cell }!.run.hidden
      return ["\(cell.title) \(hidden)"]
        + lags.map { lag in
          let values = values.of(cell, lag, in: outcomes)
          return "\(values.median.brief) (\(values.count(where: isSolved))/\(values.count))"
        }
    }
    return LabReport(
      columns: ["cell", "hidden_size", "parameters", columns.lag, "seed", columns.value],
      rows: rows, plot: Plot(title: plot.title, panels: [plot]), title: title,
      findings: [["cell, units"] + lags.map { "\($0)" }] + findings)
  }

  private static func lags(_ outcomes: [CellComparison.Outcome]) -> [Int] {
    outcomes.map(\.run.lag).distinct
  }

  /// The medians of each cell as a line, with lines from the least to the most.
  private static func series(
    _ outcomes: [CellComparison.Outcome], _ values: [Double]
  ) -> [Plot.Series] {
    Cell.allCases.map { cell in
      let hidden = outcomes.first { $0.run.cell == cell }!.run.hidden
      let lags = lags(outcomes)
      return Plot.Series(
        name: "\(cell.title) \(hidden)", style: cell.style,
        lines: [
          lags.map { (Double($0), values.of(cell, $0, in: outcomes).median) }
        ],
        hasRings: true,
        ranges: lags.map { lag in
          let atLag = values.of(cell, lag, in: outcomes)
          return (Double(lag), atLag.min()!, atLag.max()!)
        })
    }
  }
}

extension [Double] {
  /// Those that belong to the outcomes of a cell at a lag.
  fileprivate func of(
    _ cell: Cell, _ lag: Int, in outcomes: [CellComparison.Outcome]
  ) -> [Double] {
    zip(outcomes, self).filter { $0.0.run.cell == cell && $0.0.run.lag == lag }.map(\.1)
  }
}

extension Array where Element: Equatable {
  /// Each element once, in the order in which they first come.
  var distinct: [Element] {
    reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

extension Cell {
  /// The style of its lines.
  var style: String {
    switch self {
    case .rnn: "b"
    case .lstm: "a"
    case .gru: "c"
    }
  }
}
