/// Examples from a file with one a line: an input, a tab, a target.
package struct LineTable: Sendable {
  /// One example.
  package struct Example: Equatable, Sendable {
    package let input: String
    package let target: String
    /// The line in the file.
    package let line: Int
  }
  /// The file's name.
  package let file: String
  package private(set) var examples: [Example] = []

  /// Reads a file; empty lines are passed over.
  ///
  /// - Throws: ``DataError`` at the first line without an input or a target, ``FileError`` when the file
  ///   cannot be read.
  package init(path: String) throws {
    var reader = LineReader(try ByteSource(path: path))
    file = path
    while let line = try reader.next() {
      if line.isEmpty { continue }
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == 2, !fields[0].isEmpty, !fields[1].isEmpty else {
        throw DataError(
          file: path, line: reader.line,
          found: fields.count == 2
            ? "nothing \(fields[0].isEmpty ? "before" : "after") the tab"
            : "\(fields.count - 1) tabs",
          expected: "an input, a tab and a target")
      }
      examples.append(
        Example(input: String(fields[0]), target: String(fields[1]), line: reader.line))
    }
    guard !examples.isEmpty else {
      throw DataError(
        file: path, line: reader.line + 1, found: "the end of the file",
        expected: "lines of an input, a tab and a target")
    }
  }

  /// An error in a line.
  package func error(_ example: Example, found: String, expected: String) -> DataError {
    DataError(file: file, line: example.line, found: found, expected: expected)
  }
}
