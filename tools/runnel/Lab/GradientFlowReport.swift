import RunnelLab
import RunnelTraining

extension LabReport {
  /// How far back gradients reach: each network's norms by the number of frames.
  static func gradients(_ outcomes: [GradientFlow.Outcome]) -> LabReport {
    let rows = outcomes.flatMap { outcome in
      outcome.norms.map { norm in
        outcome.subject.columns + [
          "\(outcome.seed)", "\(norm.lag)", "\(norm.mean)", "\(norm.relative)",
        ]
      }
    }
    let subjects = outcomes.map(\.subject).distinct
    let lags = outcomes[0].norms.map(\.lag)
    func relative(_ subject: GradientFlow.Subject, _ index: Int) -> Double {
      outcomes.filter { $0.subject == subject }.map { $0.norms[index].relative }.median
    }
    func panel(
      _ title: String, _ exponents: ClosedRange<Int>, _ isShown: (GradientFlow.Subject) -> Bool
    ) -> Plot.Panel {
      Plot.Panel(
        title: title,
        x: .linear("frames back from the loss", through: Double(lags.last!)),
        y: .decades("norm of the gradient by the state, beside that one frame back", exponents),
        series: subjects.filter(isShown).map { subject in
          Plot.Series(
            name: subject.title, style: subject.style, isDashed: subject.isDashed,
            lines: [lags.indices.map { (Double(lags[$0]), relative(subject, $0)) }])
        })
    }
    let shown = lags.indices.filter { [10, 30, 100].contains(lags[$0]) || $0 == lags.count - 1 }
    return LabReport(
      columns: [
        "network", "state", "spectral_radius", "seed", "frames_back", "norm", "relative_norm",
      ],
      rows: rows,
      plot: Plot(
        title: "How far back gradients reach",
        panels: [
          panel("Three cells, before training and after it", -12...1) { !$0.isScaled },
          panel("A vanilla RNN by the spectral radius of its recurrent weights", -12...6) {
            $0.isScaled
          },
        ]),
      title: "gradients: norm by the state so many frames back, beside one frame back, median",
      findings: [["network"] + shown.map { "\(lags[$0])" }]
        + subjects.map { subject in
          [subject.title] + shown.map { relative(subject, $0).brief }
        })
  }
}

extension GradientFlow.Subject {
  fileprivate var isScaled: Bool {
    if case .scaled = self { return true }
    return false
  }

  fileprivate var isDashed: Bool {
    if case .cell(_, isTrained: false) = self { return true }
    return false
  }

  fileprivate var title: String {
    switch self {
    case .cell(let cell, let isTrained): cell.title + (isTrained ? ", trained" : ", new")
    case .scaled(let radius): "radius \(radius.short)"
    }
  }

  fileprivate var style: String {
    switch self {
    case .cell(let cell, _): cell.style
    case .scaled(let radius): radius < 1 ? "a" : radius == 1 ? "d" : "b"
    }
  }

  /// The first columns of a row.
  fileprivate var columns: [String] {
    switch self {
    case .cell(let cell, let isTrained): [cell.rawValue, isTrained ? "trained" : "initial", ""]
    case .scaled(let radius): [Cell.rnn.rawValue, "initial", radius.short]
    }
  }
}
