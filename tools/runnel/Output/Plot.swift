import Glibc

/// Lines over two axes, in panels one below the other, as SVG.
struct Plot {
  let title: String
  let panels: [Panel]

  /// Lines that share their axes.
  struct Panel {
    let title: String
    let x: Axis
    let y: Axis
    let series: [Series]
    /// A value that is worth comparing with, and what it is.
    var level: (name: String, value: Double)?
    /// A place along the x axis that stands out.
    var place: Double?
  }

  /// One line, or several that mean the same.
  struct Series {
    /// What the legend calls it.
    let name: String
    /// A style of ``SVG``.
    let style: String
    var isDashed = false
    /// The lines, each with its points from left to right.
    let lines: [[(x: Double, y: Double)]]
    /// Whether each point has a ring.
    var hasRings = false
    /// Points with a ring of their own, such as those at which lines break off.
    var rings: [(x: Double, y: Double)] = []
    /// From the least to the most at a place.
    var ranges: [(x: Double, least: Double, most: Double)] = []
  }

  /// An axis, and where it is marked.
  struct Axis {
    /// What is measured along it; `nil` where the panel's title says so.
    let title: String?
    let isLogarithmic: Bool
    let range: ClosedRange<Double>
    let marks: [(value: Double, text: String)]

    /// An axis from 0 to at least the largest value.
    static func linear(_ title: String?, through largest: Double) -> Axis {
      let step = (max(largest, 1e-9) / 5).roundStep
      let count = Int((largest / step - 1e-9).rounded(.up))
      return Axis(
        title: title, isLogarithmic: false, range: 0...(Double(max(count, 1)) * step),
        marks: (0...max(count, 1)).map { (Double($0) * step, (Double($0) * step).short) })
    }

    /// A logarithmic axis over whole powers of ten, from one exponent to a larger one.
    static func decades(_ title: String, _ exponents: ClosedRange<Int>) -> Axis {
      let pitch = max(1, (exponents.count + 5) / 6)
      return Axis(
        title: title, isLogarithmic: true,
        range: pow(10, Double(exponents.lowerBound))...pow(10, Double(exponents.upperBound)),
        marks: exponents.filter { $0.isMultiple(of: pitch) }.map { exponent in
          let value = pow(10, Double(exponent))
          return (value, -4...4 ~= exponent ? value.short : "1e\(exponent)")
        })
    }

    /// A logarithmic axis that is marked at the values that were measured, at least one of them.
    static func values(
      _ title: String, _ values: [Double], text: (Double) -> String = \.short
    ) -> Axis {
      Axis(
        title: title, isLogarithmic: true, range: (values.min()! / 1.2)...(values.max()! * 1.2),
        marks: values.map { ($0, text($0)) })
    }

    /// How far along the axis a value lies, from 0 to 1 within its range.
    func place(_ value: Double) -> Double {
      guard isLogarithmic else {
        return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      }
      // A value of 0 lies far outside, where it is cut off.
      let logarithm = log10(max(value, 1e-300))
      return (logarithm - log10(range.lowerBound))
        / (log10(range.upperBound) - log10(range.lowerBound))
    }
  }

  private static let width = 720.0
  private static let left = 64.0
  private static let right = 24.0
  private static let panelHeight = 260.0
  private static let panelTop = 72.0
  private static let panelPitch = 390.0
  private static let legendPitch = 158.0
  private static let legendRow = 4

  /// The drawing.
  var svg: String {
    SVG.document(
      title: title, width: Self.width, height: Double(panels.count) * Self.panelPitch,
      panels.enumerated().map { index, panel in
        draw(panel, index, top: Double(index) * Self.panelPitch + Self.panelTop)
      })
  }

  private func draw(_ panel: Panel, _ index: Int, top: Double) -> String {
    let plotWidth = Self.width - Self.left - Self.right
    // A legend of two rows moves the plot down.
    let rows = (panel.series.count + Self.legendRow - 1) / Self.legendRow
    let top = top + 18 * Double(rows - 1)
    let bottom = top + Self.panelHeight
    func x(_ value: Double) -> Double { Self.left + panel.x.place(value) * plotWidth }
    func y(_ value: Double) -> Double { bottom - panel.y.place(value) * Self.panelHeight }

    let first = top - 18 * Double(rows)
    var parts = [SVG.label(Self.left, first - 32, "start", panel.title, weight: "bold")]
    if let title = panel.y.title {
      parts.append(SVG.label(Self.left, first - 14, "start", title))
    }
    if let title = panel.x.title {
      parts.append(SVG.label(Self.left + plotWidth, bottom + 36, "end", title))
    }
    for mark in panel.y.marks {
      parts.append(
        SVG.line("grid", Self.left, y(mark.value), Self.left + plotWidth, y(mark.value)))
      parts.append(SVG.label(Self.left - 8, y(mark.value) + 4, "end", mark.text))
    }
    for mark in panel.x.marks {
      parts.append(SVG.line("grid", x(mark.value), top, x(mark.value), bottom))
      parts.append(SVG.label(x(mark.value), bottom + 18, "middle", mark.text))
    }
    for (place, series) in panel.series.enumerated() {
      let start = Self.left + Self.legendPitch * Double(place % Self.legendRow)
      let row = first + 4 + 18 * Double(place / Self.legendRow)
      parts.append(
        SVG.line(
          series.style, start, row, start + 24, row, width: 2,
          dash: series.isDashed ? "5 4" : nil))
      parts.append(SVG.label(start + 30, row + 4, "start", series.name))
    }
    var inside: [String] = []
    if let level = panel.level {
      inside.append(
        SVG.line(
          "kept", Self.left, y(level.value), Self.left + plotWidth, y(level.value), dash: "4 4"))
      inside.append(
        SVG.label(Self.left + plotWidth - 4, y(level.value) - 5, "end", level.name))
    }
    if let place = panel.place {
      inside.append(SVG.line("kept", x(place), top, x(place), bottom, dash: "4 4"))
    }
    for series in panel.series { inside += draw(series, x: x, y: y) }
    parts.append(
      SVG.clipped(
        "panel\(index)", x: Self.left - 4, y: top - 4, width: plotWidth + 8,
        height: Self.panelHeight + 8, inside))
    return parts.joined(separator: "\n")
  }

  private func draw(
    _ series: Series, x: (Double) -> Double, y: (Double) -> Double
  ) -> [String] {
    var parts = series.ranges.map { range in
      SVG.line(series.style, x(range.x), y(range.least), x(range.x), y(range.most))
    }
    parts += series.rings.map { SVG.ring(series.style, x($0.x), y($0.y)) }
    for line in series.lines {
      parts.append(
        SVG.polyline(
          series.style, line.map { (x($0.x), y($0.y)) }, dash: series.isDashed ? "5 4" : nil))
      if series.hasRings { parts += line.map { SVG.ring(series.style, x($0.x), y($0.y)) } }
    }
    return parts
  }
}
