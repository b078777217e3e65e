import RunnelLab
import RunnelTraining

extension LabReport {
  /// What is learnt, and in which time, by the window of truncated BPTT.
  ///
  /// - Parameter length: The frames of a sequence: the window of whole sequences.
  static func truncation(_ outcomes: [Truncation.Outcome], length: Int) -> LabReport {
    let windows = outcomes.map { $0.run.window ?? length }.distinct
    let lags = outcomes.map(\.run.lag).distinct
    func runs(_ lag: Int, _ window: Int) -> [Truncation.Outcome] {
      outcomes.filter { $0.run.lag == lag && ($0.run.window ?? length) == window }
    }
    func accuracies(_ lag: Int, _ window: Int) -> [Double] { runs(lag, window).map(\.accuracy) }
    func time(_ window: Int) -> Double {
      outcomes.filter { ($0.run.window ?? length) == window }.map(\.secondsPerEpoch).median
    }
    let x = Plot.Axis.values("frames of a window", windows.map(Double.init)) { window in
      window == Double(length) ? "whole, \(length)" : window.short
    }
    let times = windows.map { (x: Double($0), y: time($0) * 1e3) }
    return LabReport(
      columns: ["lag", "window", "seed", "accuracy", "updates_per_sequence", "seconds_per_epoch"],
      rows: outcomes.map { outcome in
        let window = outcome.run.window ?? length
        return [
          "\(outcome.run.lag)", "\(window)", "\(outcome.run.seed)", "\(outcome.accuracy)",
          "\((length + window - 1) / window)", "\(outcome.secondsPerEpoch)",
        ]
      },
      plot: Plot(
        title: "Truncated BPTT",
        panels: [
          Plot.Panel(
            title: "Recalling a bit: GRU, truncated BPTT", x: x,
            y: .linear("share of bits that are recalled, of other sequences", through: 1),
            series: zip(lags, ["a", "c", "b", "d"]).map { lag, style in
              Plot.Series(
                name: "after \(lag) frames", style: style,
                lines: [windows.map { (Double($0), accuracies(lag, $0).median) }], hasRings: true,
                ranges: windows.map { window in
                  let all = accuracies(lag, window)
                  return (Double(window), all.min()!, all.max()!)
                })
            }, level: ("guessing, 1/2", 0.5)),
          Plot.Panel(
            title: "The time of an epoch", x: x,
            y: .linear("milliseconds, one thread", through: times.map(\.y).max()!),
            series: [
              Plot.Series(
                name: "shortest, median of runs", style: "a", lines: [times], hasRings: true)
            ]),
        ]),
      title: "truncation: share of bits recalled by window, median; milliseconds of an epoch",
      findings: [["lag"] + windows.map { $0 == length ? "whole" : "\($0)" }]
        + lags.map { lag in
          ["\(lag)"] + windows.map { accuracies(lag, $0).median.fixed(2) }
        } + [["ms"] + times.map { $0.y.brief }])
  }
}
