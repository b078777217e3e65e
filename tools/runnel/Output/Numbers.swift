extension Double {
  /// The number with a fixed count of decimals, such as `0.98`.
  func fixed(_ decimals: Int) -> String {
    guard isFinite else { return "\(self)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (magnitude * scale).rounded()
    guard scaled < 1e15 else { return "\(self)" }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let text =
      decimals == 0
      ? padded : "\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    return sign == .minus && scaled != 0 ? "-" + text : text
  }

  /// The least round number, 1, 2 or 5 times a power of ten, that is as large as this one, which is
  /// above 0: what the marks of an axis are apart.
  var roundStep: Double {
    var power = 1.0
    while power > self { power /= 10 }
    while power * 10 <= self { power *= 10 }
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= self * (1 - 1e-9) } ?? 10 * power
  }
}

extension Int {
  /// The number with separators between thousands, such as `12,345`.
  var grouped: String {
    var groups: [Substring] = []
    var rest = String(magnitude)[...]
    while !rest.isEmpty {
      groups.insert(rest.suffix(3), at: 0)
      rest = rest.dropLast(3)
    }
    return (self < 0 ? "-" : "") + groups.joined(separator: ",")
  }
}

extension String {
  /// The text, padded with spaces on its left to a width.
  func padded(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - count)) + self
  }

  /// The text, followed by spaces up to a width.
  func filled(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
