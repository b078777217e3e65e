/// Sequences of frames from a CSV file in long form: a line of column names, then one row a frame.
package struct SequenceTable: Sendable {
  /// Which columns mean what.
  package struct Columns: Equatable, Sendable {
    /// The column whose value is the same for all rows of a sequence, and for them alone; without
    /// one the whole file is one sequence.
    package var sequence: String?
    /// The column with the class.
    package var label: String?
    /// The columns with numbers to predict.
    package var targets: [String]
    /// The columns of a frame; all columns that mean nothing else where it is `nil`.
    package var features: [String]?

    /// Makes a choice of columns.
    package init(
      sequence: String? = nil, label: String? = nil, targets: [String] = [],
      features: [String]? = nil
    ) {
      self.sequence = sequence
      self.label = label
      self.targets = targets
      self.features = features
    }
  }

  /// One sequence.
  package struct Sequence: Equatable, Sendable {
    /// The frames, shape `[length, features]`.
    package var frames: [Float] = []
    /// The class of each frame, where there is a column for it.
    package var labels: [String] = []
    /// The numbers to predict, shape `[length, targets]`.
    package var targets: [Float] = []
    /// The line of each frame in the file.
    package var lines: [Int] = []
  }

  /// The file's name.
  package let file: String
  /// The names of a frame's columns.
  package let features: [String]
  /// The field that the class stands in, from 0.
  package let labelField: Int?
  /// The sequences, in the order of the file.
  package private(set) var sequences: [Sequence] = []

  /// Reads a file.
  ///
  /// - Throws: ``DataError`` at the first field that is not as it should be, ``FileError`` when the
  ///   file cannot be read.
  package init(path: String, columns: Columns) throws {
    var reader = LineReader(try ByteSource(path: path))
    guard let first = try reader.next(), !first.isEmpty else {
      throw DataError(
        file: path, line: 1, found: "nothing", expected: "a line of column names")
    }
    file = path
    let header = try CSVRow(first[...], file: path, line: reader.line)
    for (index, name) in header.fields.enumerated() where header.fields[..<index].contains(name) {
      throw header.error(index, nil, found: "the name '\(name)' again", expected: "each name once")
    }
    func field(_ name: String, _ purpose: String) throws(DataError) -> Int {
      guard let index = header.fields.firstIndex(of: name) else {
        throw DataError(
          file: path, line: 1, found: "the columns " + header.fields.joined(separator: ", "),
          expected: "a column '\(name)' with \(purpose)")
      }
      return index
    }
    let sequenceField = try columns.sequence.map { try field($0, "the number of the sequence") }
    labelField = try columns.label.map { try field($0, "the class") }
    let targetFields = try columns.targets.map { try field($0, "a number to predict") }
    let taken = [sequenceField, labelField].compactMap { $0 } + targetFields
    let featureFields =
      try columns.features?.map { try field($0, "an element of a frame") }
      ?? header.fields.indices.filter { !taken.contains($0) }
    features = featureFields.map { header.fields[$0] }
    guard !features.isEmpty else {
      throw DataError(
        file: path, line: 1, found: "the columns " + header.fields.joined(separator: ", "),
        expected: "at least one more, for the frames")
    }

    var current: String?
    var names: Set<String> = []
    while let line = try reader.next() {
      if line.isEmpty { continue }
      let row = try CSVRow(line[...], file: path, line: reader.line)
      try row.requireCount(header.fields.count, of: "as many as the first line names")
      let name = sequenceField.map { row.fields[$0] } ?? ""
      if name != current {
        guard names.insert(name).inserted else {
          throw row.error(
            sequenceField!, columns.sequence, found: "sequence '\(name)' again",
            expected: "the rows of a sequence one behind the other")
        }
        current = name
        sequences.append(Sequence())
      }
      var sequence = sequences.removeLast()
      for index in featureFields {
        sequence.frames.append(try row.number(index, name: header.fields[index]))
      }
      for index in targetFields {
        sequence.targets.append(try row.number(index, name: header.fields[index]))
      }
      if let labelField {
        guard !row.fields[labelField].isEmpty else {
          throw row.error(labelField, columns.label, found: "nothing", expected: "a class")
        }
        sequence.labels.append(row.fields[labelField])
      }
      sequence.lines.append(reader.line)
      sequences.append(sequence)
    }
    guard !sequences.isEmpty else {
      throw DataError(
        file: path, line: reader.line + 1, found: "the end of the file", expected: "rows of frames")
    }
  }

  /// The classes that occur: by value when all are numbers, otherwise by alphabet.
  package var classes: [String] {
    let classes = Set(sequences.flatMap(\.labels))
    let numbers = classes.compactMap { Double($0) }
    return numbers.count == classes.count
      ? classes.sorted { Double($0)! < Double($1)! } : classes.sorted()
  }

  /// The number of each frame's class, per sequence.
  ///
  /// - Parameters:
  ///   - classes: The classes that may occur.
  ///   - constant: Whether a sequence has to be of one class.
  /// - Throws: ``DataError`` at a class that is none of them, or another than before.
  package func classNumbers(
    of classes: [String], constant: Bool
  ) throws(DataError) -> [[Int]] {
    let numbers = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
    var all: [[Int]] = []
    for sequence in sequences {
      var sequenceNumbers: [Int] = []
      for (label, line) in zip(sequence.labels, sequence.lines) {
        guard let number = numbers[label] else {
          throw labelError(
            label, line, expected: "one of the classes " + classes.joined(separator: ", "))
        }
        guard !constant || number == sequenceNumbers.first ?? number else {
          throw labelError(
            label, line, expected: "'\(sequence.labels[0])', as in the sequence's first row")
        }
        sequenceNumbers.append(number)
      }
      all.append(sequenceNumbers)
    }
    return all
  }

  private func labelError(_ label: String, _ line: Int, expected: String) -> DataError {
    DataError(
      file: file, line: line, column: labelField.map { $0 + 1 }, found: "'\(label)'",
      expected: expected)
  }
}
