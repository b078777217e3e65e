extension String {
  /// The text with control characters and spaces made visible.
  var escaped: String {
    if self == " " { return "' '" }
    return unicodeScalars.map { scalar in
      Self.isShown(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
    }.joined()
  }

  /// Whether a character leaves the terminal and the order of the text alone.
  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }
}
