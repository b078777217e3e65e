/// Gives a file, pipe or terminal line by line, each as soon as it is complete.
///
/// A last line without a newline counts. A carriage return before the newline is left away, and so
/// is the mark of byte order (EF BB BF) that spreadsheets write at the start of a file.
package struct LineReader: ~Copyable {
  /// The number of the line that was given last, from 1.
  package private(set) var line = 0
  private var source: ByteSource
  private var bytes: [UInt8] = []
  /// Where the line that comes next starts.
  private var start = 0
  /// Up to where there is no newline.
  private var searched = 0
  private var ended = false

  /// The longest line, in bytes, so that a stream without newlines does not fill the memory.
  package static let longestLine = 1 << 24

  /// Reads lines from a source.
  package init(_ source: consuming ByteSource) { self.source = source }

  /// The file as the user named it.
  package var file: String { source.file }

  /// The next line, or `nil` at the end.
  ///
  /// - Parameter beforeWaiting: Called before each read, which may wait: the moment to send what
  ///   was answered so far.
  package mutating func next(beforeWaiting: () throws -> Void = {}) throws -> String? {
    while true {
      if let newline = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer {
          start = newline + 1
          searched = start
        }
        return take(upTo: newline)
      }
      searched = bytes.count
      if ended {
        defer { start = bytes.count }
        return start < bytes.count ? take(upTo: bytes.count) : nil
      }
      bytes.removeFirst(start)
      searched -= start
      start = 0
      guard bytes.count <= Self.longestLine else {
        throw DataError(
          file: file, line: line + 1,
          found: "more than \(Self.longestLine) bytes without a newline",
          expected: "lines of text")
      }
      try beforeWaiting()
      ended = try !source.read(into: &bytes, atMost: 1 << 16)
    }
  }

  private mutating func take(upTo end: Int) -> String {
    line += 1
    var text = bytes[start..<end]
    if line == 1, text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
    if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
    return String(decoding: text, as: UTF8.self)
  }
}
