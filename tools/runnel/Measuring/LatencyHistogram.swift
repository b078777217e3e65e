import Glibc

/// How often calls and controls took how long, as SVG: both axes logarithmic, so that a rare delay
/// is seen beside a hundred thousand calls without one.
struct LatencyHistogram {
  let title: String
  let times: SingleTimes

  private static let width = 760.0
  private static let left = 64.0
  private static let right = 20.0
  private static let top = 96.0
  private static let plotHeight = 280.0
  /// Bins of the same width on the logarithmic axis.
  private static let binsPerDecade = 40.0
  /// The percentiles that are marked.
  private static let marks: [(name: String, share: Double)] = [
    ("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1),
  ]

  private struct Series {
    let name: String
    let style: String
    let times: Times
    /// Whether its marks stand above the plot.
    let isAbove: Bool
  }

  /// The drawing.
  var svg: String {
    let all = [
      Series(name: "step", style: "a", times: times.calls, isAbove: true),
      Series(name: "control", style: "b", times: times.control, isAbove: false),
    ]
    let least = all.map { max(1, Double($0.times.sorted[0])) }.min()!
    let most = all.map { max(1, $0.times.maximum) }.max()!
    // At least a decade, so that times that are all alike do not look wildly different.
    let first = (log10(least) * 10 - 0.5).rounded(.down) / 10
    let last = max(first + 1, (log10(most) * 10 + 0.5).rounded(.up) / 10)
    let bottom = Self.top + Self.plotHeight
    let plotWidth = Self.width - Self.left - Self.right
    let decades = max(1, log10(Double(times.calls.sorted.count)).rounded(.up))
    func x(_ nanoseconds: Double) -> Double {
      Self.left + (log10(max(1, nanoseconds)) - first) / (last - first) * plotWidth
    }
    // A count of nothing lies on the axis, a count of one half a decade above it.
    func y(_ count: Int) -> Double {
      guard count > 0 else { return bottom }
      return bottom - (log10(Double(count)) + 0.5) / (decades + 0.5) * Self.plotHeight
    }

    var parts = [
      SVG.label(Self.left, 24, "start", title, weight: "bold"),
      SVG.label(Self.left + plotWidth, bottom + 72, "end", "time of one call, from clock to clock"),
      SVG.label(Self.left, 48, "start", "number of calls"),
    ]
    for decade in 0...Int(decades) {
      let count = Int(pow(10, Double(decade)))
      parts.append(SVG.line("grid", Self.left, y(count), Self.left + plotWidth, y(count)))
      parts.append(SVG.label(Self.left - 8, y(count) + 4, "end", count.grouped))
    }
    for tick in Self.ticks(from: first, through: last) {
      parts.append(SVG.line("grid", x(tick), Self.top, x(tick), bottom))
      parts.append(SVG.label(x(tick), bottom + 16, "middle", Self.text(tick)))
    }
    var legend = Self.left + plotWidth - 170
    for one in all {
      parts.append(SVG.line(one.style, legend, 44, legend + 24, 44, width: 2))
      parts.append(SVG.label(legend + 30, 48, "start", one.name))
      legend += 90
      parts.append(contentsOf: marks(of: one, x: x, bottom: bottom))
      parts.append(SVG.polyline(one.style, outline(of: one.times, from: first, x: x, y: y)))
    }
    return SVG.document(title: title, width: Self.width, height: bottom + 88, parts)
  }

  /// The stairs along the tops of the bins.
  private func outline(
    of times: Times, from first: Double, x: (Double) -> Double, y: (Int) -> Double
  ) -> [(x: Double, y: Double)] {
    func bin(_ time: Int32) -> Int {
      Int(((log10(max(1, Double(time))) - first) * Self.binsPerDecade).rounded(.down))
    }
    var counts = [Int](repeating: 0, count: bin(times.sorted.last!) + 1)
    for time in times.sorted { counts[bin(time)] += 1 }
    var points: [(x: Double, y: Double)] = []
    for (index, count) in counts.enumerated() {
      func edge(_ index: Int) -> Double { pow(10, first + Double(index) / Self.binsPerDecade) }
      // Between two empty bins there is nothing to draw but the axis.
      if points.isEmpty { points.append((x(edge(index)), y(0))) }
      points.append((x(edge(index)), y(count)))
      points.append((x(edge(index + 1)), y(count)))
    }
    points.append((points.last!.x, y(0)))
    return points
  }

  /// Dashed lines at the percentiles, with their names; names that would overlap share a line.
  private func marks(of series: Series, x: (Double) -> Double, bottom: Double) -> [String] {
    var parts: [String] = []
    var groups: [(x: Double, names: [String])] = []
    for (name, share) in Self.marks {
      let place = x(series.times.percentile(share))
      parts.append(SVG.line(series.style, place, Self.top, place, bottom, dash: "2 4"))
      if let last = groups.last, place - last.x < 10 * Double(last.names.joined().count) {
        groups[groups.count - 1].names.append(name)
      } else {
        groups.append((place, [name]))
      }
    }
    for (place, names) in groups {
      let text = names.joined(separator: " ")
      let y = series.isAbove ? Self.top - 8 : bottom + 34
      parts.append(
        SVG.line(series.style, place, y - 12, place, series.isAbove ? Self.top : y + 4, width: 2))
      parts.append(SVG.label(place + 4, y, "start", text))
    }
    return parts
  }

  /// 1, 2 and 5 times the powers of ten within a range of exponents.
  private static func ticks(from first: Double, through last: Double) -> [Double] {
    (Int(first.rounded(.down))...Int(last.rounded(.up))).flatMap { exponent in
      [1, 2, 5].map { $0 * pow(10, Double(exponent)) }
    }.filter { first...last ~= log10($0) }
  }

  /// A round time, such as `200 ns` or `5 µs`.
  private static func text(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<1e3: "\(nanoseconds.short) ns"
    case ..<1e6: "\((nanoseconds / 1e3).short) µs"
    case ..<1e9: "\((nanoseconds / 1e6).short) ms"
    default: "\((nanoseconds / 1e9).short) s"
    }
  }
}
