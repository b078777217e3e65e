import RunnelTraining

/// The course of a training run as SVG: loss above, the metric below.
struct TrainingCurve {
  let name: String
  let history: [EpochRecord]
  /// The epoch whose parameters were kept.
  let kept: Int

  /// More points than this could not be seen.
  private static let points = 1_000

  /// The drawing.
  var svg: String {
    var panels = [panel("loss", limit: nil, \.loss)]
    if let kind = history.first?.training.metricKind {
      panels.append(panel(kind.name, limit: kind == .accuracy ? 1 : nil, \.metric))
    }
    return Plot(title: "Training of \(name)", panels: panels).svg
  }

  private func panel(
    _ title: String, limit: Double?, _ value: (Evaluation) -> Double
  ) -> Plot.Panel {
    let training = history.map { (x: Double($0.epoch), y: value($0.training)) }
    let validation = history.compactMap { record in
      record.validation.map { (x: Double(record.epoch), y: value($0)) }
    }
    let largest = (training + validation).map(\.y).max() ?? 1
    let epochs = max(2, history.last?.epoch ?? 2)
    return Plot.Panel(
      title: "\(title) of \(name)", x: axis(through: epochs),
      y: .linear(nil, through: limit ?? largest),
      series: [("training", "a", training), ("validation", "b", validation)]
        .filter { !$0.2.isEmpty }
        .map { Plot.Series(name: $0, style: $1, lines: [thinned($2)]) },
      place: 1..<epochs ~= kept ? Double(kept) : nil)
  }

  /// The epochs, from 1.
  private func axis(through last: Int) -> Plot.Axis {
    let step = max(1, Int((Double(last) / 8).roundStep.rounded()))
    let marks = [1] + stride(from: step, through: last, by: step).filter { $0 > 1 }
    return Plot.Axis(
      title: "epoch", isLogarithmic: false, range: 1...Double(last),
      marks: marks.map { (Double($0), "\($0)") })
  }

  private func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    let pitch = max(1, points.count / Self.points)
    return points.enumerated().filter { index, _ in
      index % pitch == 0 || index == points.count - 1
    }.map(\.element)
  }
}
