import RunnelTraining

/// The course of a training run as SVG: loss above, the metric below.
struct TrainingCurve {
  let name: String
  let history: [EpochRecord]
  /// The epoch whose parameters were kept.
  let kept: Int

  private struct Series {
    let name: String
    let style: String
    let points: [(epoch: Int, value: Double)]
  }

  private static let width = 720.0
  private static let left = 64.0
  private static let right = 16.0
  private static let panelHeight = 220.0
  private static let panelTop = 48.0
  private static let panelPitch = 300.0
  /// More points than this could not be seen.
  private static let points = 1_000

  /// The drawing.
  var svg: String {
    let loss = [
      series("training", "a") { $0.training.loss },
      series("validation", "b") { $0.validation?.loss },
    ]
    let metric = [
      series("training", "a") { $0.training.metric },
      series("validation", "b") { $0.validation?.metric },
    ]
    var panels = [panel("loss", loss, top: Self.panelTop, limit: nil)]
    if let kind = history.first?.training.metricKind {
      panels.append(
        panel(
          kind.name, metric, top: Self.panelTop + Self.panelPitch,
          limit: kind == .accuracy ? 1 : nil))
    }
    return SVG.document(
      title: "Training of \(name)", width: Self.width,
      height: Double(panels.count) * Self.panelPitch + 8, panels)
  }

  private func series(
    _ name: String, _ style: String, value: (EpochRecord) -> Double?
  ) -> Series {
    let all = history.compactMap { record in value(record).map { (record.epoch, $0) } }
    let pitch = max(1, all.count / Self.points)
    let points = all.enumerated().filter { index, _ in
      index % pitch == 0 || index == all.count - 1
    }
    return Series(name: name, style: style, points: points.map { ($1.0, $1.1) })
  }

  private func panel(_ title: String, _ all: [Series], top: Double, limit: Double?) -> String {
    let series = all.filter { !$0.points.isEmpty }
    let largest = limit ?? max(1e-9, series.flatMap(\.points).map(\.value).max() ?? 1)
    let step = (largest / 5).roundStep
    let maximum = (largest / step - 1e-9).rounded(.up) * step
    let epochs = Double(max(2, history.last?.epoch ?? 2))
    let plotWidth = Self.width - Self.left - Self.right
    let bottom = top + Self.panelHeight
    func x(_ epoch: Double) -> Double { Self.left + (epoch - 1) / (epochs - 1) * plotWidth }
    func y(_ value: Double) -> Double { bottom - value / maximum * Self.panelHeight }

    var lines = [
      SVG.label(Self.left, top - 16, "start", "\(title) of \(name)", weight: "bold"),
      SVG.label(Self.left + plotWidth, bottom + 36, "end", "epoch"),
    ]
    for tick in 0...Int((maximum / step).rounded()) {
      let value = Double(tick) * step
      lines.append(
        SVG.line("grid", Self.left, y(value), Self.left + plotWidth, y(value)))
      lines.append(SVG.label(Self.left - 8, y(value) + 4, "end", value.short))
    }
    let epochStep = max(1, (epochs / 8).roundStep.rounded())
    for epoch in [1] + stride(from: epochStep, through: epochs, by: epochStep) where epoch > 0 {
      lines.append(SVG.label(x(epoch), bottom + 18, "middle", epoch.short))
    }
    if kept >= 1 && kept < Int(epochs) {
      let place = x(Double(kept))
      lines.append(SVG.line("kept", place, top, place, bottom, dash: "4 4"))
    }
    var legend = Self.left + plotWidth - 110 * Double(series.count)
    for one in series {
      lines.append(
        SVG.polyline(
          one.style,
          one.points.map { epoch, value in (x(Double(epoch)), y(min(value, maximum))) }))
      lines.append(SVG.line(one.style, legend, top - 20, legend + 24, top - 20, width: 2))
      lines.append(SVG.label(legend + 30, top - 16, "start", one.name))
      legend += 110
    }
    return lines.joined(separator: "\n")
  }
}
