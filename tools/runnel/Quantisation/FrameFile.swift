import Runnel
import RunnelTraining

/// A file of frames, read whole.
struct FrameFile {
  enum Format { case csv, raw }

  /// The streams that the file holds, each with its frames one behind the other.
  let sequences: [[Float]]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - format: CSV, in which an empty line starts a new stream, or 32-bit floats.
  ///   - size: The numbers of a frame.
  ///   - features: The names of a frame's elements, where the model knows them. Other columns of
  ///     CSV are passed over, where all of these are there.
  ///   - sequence: The column of CSV in which another value starts a new stream.
  init(
    _ path: String, _ format: Format, size: Int, features: [String], sequence: String? = nil
  ) throws {
    switch format {
    case .csv:
      sequences = try Self.lines(path, size: size, features: features, sequence: sequence)
    case .raw: sequences = [try Self.floats(path, size: size)]
    }
    guard !sequences.isEmpty else {
      throw DataError(file: path, found: "no frames", expected: "at least one")
    }
  }

  private static func lines(
    _ path: String, size: Int, features: [String], sequence: String?
  ) throws -> [[Float]] {
    var lines = LineReader(try ByteSource(path: path))
    var columns = FrameColumns(size: size, features: features, passesOthers: true)
    var sequences: [[Float]] = []
    var field: Int?
    var value: String?
    var continues = false
    var frame = [Float](repeating: 0, count: size)
    while let line = try lines.next() {
      if line.isEmpty {
        continues = false
        continue
      }
      if try lines.line == 1 && columns.takeNames(line, file: path) {
        let names = try CSVRow(line[...], file: path, line: 1).fields
        field = sequence.flatMap { names.firstIndex(of: $0) }
        guard sequence == nil || field != nil else {
          throw DataError(
            file: path, line: 1, found: "the columns " + names.joined(separator: ", "),
            expected: "one called \(sequence!)")
        }
        continue
      }
      guard sequence == nil || field != nil else {
        throw DataError(
          file: path, line: lines.line, found: "no line of names",
          expected: "one, with a column called \(sequence!)")
      }
      let row = try CSVRow(line[...], file: path, line: lines.line)
      try columns.fill(&frame, from: row)
      if let field, row.fields[field] != value {
        value = row.fields[field]
        continues = false
      }
      if !continues { sequences.append([]) }
      sequences[sequences.count - 1] += frame
      continues = true
    }
    return sequences
  }

  private static func floats(_ path: String, size: Int) throws -> [Float] {
    let bytes = try ByteSource.contents(of: path)
    guard !bytes.isEmpty, bytes.count.isMultiple(of: 4 * size) else {
      throw DataError(
        file: path, found: "\(bytes.count) bytes",
        expected: "a multiple of \(4 * size): \(size) floats of 4 bytes for each frame")
    }
    return stride(from: 0, to: bytes.count, by: 4).map { bytes.float(at: $0) }
  }
}
