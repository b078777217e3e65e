/// A fault in data that a person wrote: where it stands, what was found, what was expected.
package struct DataError: Error, Equatable, Sendable {
  /// The file as the user named it, or `standard input`.
  package var file: String
  /// The line, from 1, where the fault has one.
  package var line: Int?
  /// The column, from 1: the field of a line of CSV, the character of a line of JSON.
  package var column: Int?
  /// What stands there in the file's own terms: a column's name, a key's path.
  package var element: String?
  /// What was found.
  package var found: String
  /// What was expected instead, and what to do.
  package var expected: String

  /// Makes an error.
  package init(
    file: String, line: Int? = nil, column: Int? = nil, element: String? = nil, found: String,
    expected: String
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.element = element
    self.found = found
    self.expected = expected
  }
}

extension DataError: CustomStringConvertible {
  /// One sentence, such as `test.csv: line 7, column 3 (c1): found 'abc', expected a number`.
  package var description: String {
    "\(file): \(place.isEmpty ? "" : place + ": ")found \(found), expected \(expected)"
  }

  /// Line, column and element in words, such as `line 7, column 3 (c1)`.
  private var place: String {
    let numbers = [line.map { "line \($0)" }, column.map { "column \($0)" }]
      .compactMap { $0 }.joined(separator: ", ")
    guard let element else { return numbers }
    return numbers.isEmpty ? element : "\(numbers) (\(element))"
  }
}
