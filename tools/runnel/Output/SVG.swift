/// The parts that drawings are made of.
///
/// A drawing follows the reader's choice of light or dark.
enum SVG {
  /// A drawing.
  static func document(title: String, width: Double, height: Double, _ parts: [String]) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width.short) \(height.short)" \
    font-family="system-ui, sans-serif" font-size="12">
    <title>\(escaped(title))</title>
    <style>
    .page { fill: #ffffff } .ink { fill: #1f2328 } .grid { stroke: #d1d9e0 }
    .a { stroke: #0969da } .b { stroke: #bc4c00 } .kept { stroke: #59636e }
    .c { stroke: #1a7f37 } .d { stroke: #8250df } .e { stroke: #bf3989 }
    @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .ink { fill: #e6edf3 } .grid { stroke: #30363d }
    .a { stroke: #58a6ff } .b { stroke: #f0883e } .kept { stroke: #9198a1 }
    .c { stroke: #3fb950 } .d { stroke: #bc8cff } .e { stroke: #f778ba }
    }
    </style>
    <rect class="page" width="100%" height="100%"/>
    \(parts.joined(separator: "\n"))
    </svg>

    """
  }

  /// A straight line.
  static func line(
    _ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, width: Int = 1,
    dash: String? = nil
  ) -> String {
    "<line class=\"\(style)\" stroke-width=\"\(width)\""
      + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "")
      + " x1=\"\(x1.short)\" y1=\"\(y1.short)\" x2=\"\(x2.short)\" y2=\"\(y2.short)\"/>"
  }

  /// A line through points.
  static func polyline(
    _ style: String, _ points: [(x: Double, y: Double)], dash: String? = nil
  ) -> String {
    "<polyline class=\"\(style)\" fill=\"none\" stroke-width=\"2\""
      + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "") + " points=\""
      + points.map { "\($0.x.short),\($0.y.short)" }.joined(separator: " ") + "\"/>"
  }

  /// A small ring around a point.
  static func ring(_ style: String, _ x: Double, _ y: Double) -> String {
    "<circle class=\"\(style)\" fill=\"none\" stroke-width=\"2\" r=\"3\" cx=\"\(x.short)\" "
      + "cy=\"\(y.short)\"/>"
  }

  /// Parts of which nothing is seen outside a rectangle; `name` is unique in the drawing.
  static func clipped(
    _ name: String, x: Double, y: Double, width: Double, height: Double, _ parts: [String]
  ) -> String {
    """
    <clipPath id="\(name)"><rect x="\(x.short)" y="\(y.short)" width="\(width.short)" \
    height="\(height.short)"/></clipPath>
    <g clip-path="url(#\(name))">
    \(parts.joined(separator: "\n"))
    </g>
    """
  }

  /// Text; `anchor` is `start`, `middle` or `end`.
  static func label(
    _ x: Double, _ y: Double, _ anchor: String, _ text: String, weight: String = "normal"
  ) -> String {
    "<text class=\"ink\" text-anchor=\"\(anchor)\" font-weight=\"\(weight)\" x=\"\(x.short)\" "
      + "y=\"\(y.short)\">\(escaped(text))</text>"
  }

  private static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      default: String(character)
      }
    }.joined()
  }
}

extension Double {
  /// The number with up to three decimals, and none that say nothing.
  var short: String {
    guard magnitude >= 0.0005 || self == 0 else { return "\(self)" }
    var text = fixed(3)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}
