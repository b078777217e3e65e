import Glibc

/// What an experiment came to, as it is written and printed.
struct LabReport {
  /// A header, and a row for each measurement.
  let csv: String
  let plot: Plot
  /// A short table.
  let findings: String

  /// A report.
  ///
  /// - Parameters:
  ///   - columns: The names of what each of `rows` holds.
  ///   - title: What `findings`, rows of equally many cells, show; the first is their header.
  init(
    columns: [String], rows: [[String]], plot: Plot, title: String, findings: [[String]]
  ) {
    csv = ([columns] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
    self.plot = plot
    let widths = findings[0].indices.map { column in
      findings.map { $0[column].count }.max()!
    }
    let lines = findings.map { row in
      zip(row.indices, row).map { column, text in
        column == 0 ? text.filled(to: widths[0]) : text.padded(to: widths[column])
      }.joined(separator: "  ")
    }
    self.findings = ([title] + lines.map { "  \($0)" }).joined(separator: "\n")
  }
}

extension Double {
  /// The number with two digits that say something, such as `0.00021` or `3.4e-07`.
  var brief: String {
    guard isFinite, self != 0 else { return short }
    guard 1e-4..<1e4 ~= magnitude else { return exponential }
    let digits = Swift.max(0, Swift.min(5, 1 - Int(magnitude.exponentOfTen)))
    return fixed(digits)
  }

  /// The number with one digit and a power of ten.
  private var exponential: String {
    var exponent = Int(magnitude.exponentOfTen)
    var power = 1.0
    for _ in 0..<abs(exponent) { power *= 10 }
    var digit = Int((exponent < 0 ? magnitude * power : magnitude / power).rounded())
    if digit == 10 { (digit, exponent) = (1, exponent + 1) }
    return "\(sign == .minus ? "-" : "")\(digit)e\(exponent)"
  }

  /// The largest whole number whose power of ten is at most this number, which is above 0.
  private var exponentOfTen: Double { log10(self).rounded(.down) }
}
