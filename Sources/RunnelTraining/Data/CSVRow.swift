/// One line of comma-separated values.
///
/// Fields may stand in double quotes (doubled inside: `"say ""a"""`); spaces around a field do not
/// count. A field does not go on in the next line, so that lines can be answered as they come.
package struct CSVRow: Equatable, Sendable {
  /// The file's name, for errors.
  package let file: String
  /// The number of the line, from 1.
  package let line: Int
  /// The fields, without quotes and surrounding spaces.
  package let fields: [String]

  /// Splits a line.
  ///
  /// - Throws: ``DataError`` when a quote is not closed, or closed inside a field.
  package init(_ text: Substring, file: String, line: Int) throws(DataError) {
    var fields: [String] = []
    var rest = text.utf8
    let comma = UInt8(ascii: ",")
    let quote = UInt8(ascii: "\"")
    while true {
      rest = rest.drop(while: Self.isSpace)
      if rest.first == quote {
        rest = rest.dropFirst()
        var field = ""
        while true {
          guard let end = rest.firstIndex(of: quote) else {
            throw DataError(
              file: file, line: line, column: fields.count + 1,
              found: "a quote that is not closed in its line", expected: "a closing '\"'")
          }
          field += String(decoding: rest[..<end], as: UTF8.self)
          rest = rest[end...].dropFirst()
          guard rest.first == quote else { break }
          field += "\""
          rest = rest.dropFirst()
        }
        rest = rest.drop(while: Self.isSpace)
        guard rest.isEmpty || rest.first == comma else {
          throw DataError(
            file: file, line: line, column: fields.count + 1, found: "text after a closing quote",
            expected: "a comma or the end of the line (write a quote inside quotes twice)")
        }
        fields.append(field)
      } else {
        let end = rest.firstIndex(of: comma) ?? rest.endIndex
        var field = rest[..<end]
        while let last = field.last, Self.isSpace(last) { field = field.dropLast() }
        fields.append(String(decoding: field, as: UTF8.self))
        rest = rest[end...]
      }
      guard rest.first == comma else { break }
      rest = rest.dropFirst()
    }
    self.file = file
    self.line = line
    self.fields = fields
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  /// Whether every field is a name: something, and not a number.
  package var isHeader: Bool { fields.allSatisfy { !$0.isEmpty && Float($0) == nil } }

  /// The finite number in a field.
  ///
  /// - Parameters:
  ///   - index: The field, from 0.
  ///   - name: The column's name, for the error.
  package func number(_ index: Int, name: String? = nil) throws(DataError) -> Float {
    let field = fields[index]
    guard let value = Float(field) else {
      throw error(
        index, name, found: field.isEmpty ? "nothing" : "'\(field)'",
        expected: "a number such as -0.25 or 3e-2")
    }
    guard value.isFinite else {
      throw error(index, name, found: "'\(field)'", expected: "a finite number")
    }
    return value
  }

  /// An error at a field.
  package func error(
    _ index: Int, _ name: String?, found: String, expected: String
  ) -> DataError {
    DataError(
      file: file, line: line, column: index + 1, element: name, found: found, expected: expected)
  }

  /// Checks the number of fields.
  package func requireCount(_ count: Int, of what: String) throws(DataError) {
    guard fields.count != count else { return }
    let semicolons = fields.count < count && fields.contains { $0.contains(";") }
    throw DataError(
      file: file, line: line, column: fields.count > count ? count + 1 : nil,
      found: fields.count == 1 ? "1 column" : "\(fields.count) columns",
      expected: "\(count), \(what)"
        + (semicolons ? " (separate columns with commas, and write decimals with a point)" : ""))
  }
}
