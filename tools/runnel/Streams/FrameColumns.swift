import RunnelTraining

/// How lines of CSV become frames: which field each element comes from, and how it is called.
struct FrameColumns {
  private let size: Int
  /// The model's own names of a frame's elements.
  private let known: [String]
  private var names: [String]
  /// The field that each element of a frame comes from.
  private var fields: [Int]
  /// The fields of a row.
  private var width: Int
  private let passesOthers: Bool

  /// - Parameter features: The names of a frame's elements, where the model knows them; what does
  ///   not name each element once, as a model from a stranger may, is passed over.
  /// - Parameter passesOthers: Whether a file may have further columns, by names that are not the
  ///   model's, as the tables have that models are trained on.
  init(size: Int, features: [String], passesOthers: Bool = false) {
    self.size = size
    self.passesOthers = passesOthers
    width = size
    known = features.count == size && Set(features).count == size ? features : []
    names = known
    fields = Array(0..<size)
  }

  /// Takes the first line, where it holds names: the model's own in any order, or others.
  ///
  /// - Returns: Whether it did; otherwise the line is a frame.
  mutating func takeNames(_ line: String, file: String) throws -> Bool {
    guard let row = try? CSVRow(line[...], file: file, line: 1), row.isHeader else { return false }
    if Set(row.fields).isDisjoint(with: known) {
      try row.requireCount(size, of: "the size of the model's frames")
      names = row.fields
    } else {
      // Some of the model's own names: not to be taken by position.
      let names = Set(row.fields)
      guard
        passesOthers
          ? names.isSuperset(of: known) && names.count == row.fields.count
          : row.fields.count == size && names == Set(known)
      else {
        throw DataError(
          file: file, line: 1,
          found: "\(row.fields.count) columns, " + row.fields.joined(separator: ", "),
          expected: "the \(size) of the model, " + known.joined(separator: ", ")
            + ", in any order; or no line of names, and this order")
      }
      fields = known.map { row.fields.firstIndex(of: $0)! }
      width = row.fields.count
    }
    return true
  }

  /// Reads a frame.
  func fill(_ frame: inout [Float], from text: String, file: String, line: Int) throws {
    try fill(&frame, from: CSVRow(text[...], file: file, line: line))
  }

  /// Reads a frame from a row.
  func fill(_ frame: inout [Float], from row: CSVRow) throws {
    try row.requireCount(
      width, of: width == size ? "the size of the model's frames" : "the columns of the first line")
    for (element, field) in fields.enumerated() {
      frame[element] = try row.number(field, name: names.count == size ? names[element] : nil)
    }
  }
}
