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
  ///   - features: The names of a frame's elements, where the model knows them.
  init(_ path: String, _ format: Format, size: Int, features: [String]) throws {
    switch format {
    case .csv: sequences = try Self.lines(path, size: size, features: features)
    case .raw: sequences = [try Self.floats(path, size: size)]
    }
    guard !sequences.isEmpty else {
      throw DataError(file: path, found: "no frames", expected: "at least one")
    }
  }

  private static func lines(_ path: String, size: Int, features: [String]) throws -> [[Float]] {
    var lines = LineReader(try ByteSource(path: path))
    var columns = FrameColumns(size: size, features: features)
    var sequences: [[Float]] = []
    var continues = false
    var frame = [Float](repeating: 0, count: size)
    while let line = try lines.next() {
      if line.isEmpty {
        continues = false
        continue
      }
      if try lines.line == 1 && columns.takeNames(line, file: path) { continue }
      try columns.fill(&frame, from: line, file: path, line: lines.line)
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
