import RunnelTraining
import TestSupport
import Testing

@Suite struct `Reading lines` {
  private func lines(_ bytes: [UInt8]) throws -> [String] {
    let folder = TemporaryFolder()
    try folder.write("lines", bytes)
    var reader = LineReader(try ByteSource(path: folder.file("lines")))
    var lines: [String] = []
    while let line = try reader.next() { lines.append(line) }
    #expect(reader.line == lines.count)
    return lines
  }

  @Test(arguments: [
    ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\n", ["", ""]),
    ("a\r\n\r\nb\r", ["a", "", "b"]),
  ])
  func `a last line without a newline counts`(text: String, expected: [String]) throws {
    #expect(try lines(Array(text.utf8)) == expected)
  }

  @Test(arguments: [
    ("\u{FEFF}a\nb", ["a", "b"]), ("\u{FEFF}\r\nb", ["", "b"]), ("\u{FEFF}", [""]),
    ("a\n\u{FEFF}b", ["a", "\u{FEFF}b"]), ("\u{FEFF}\u{FEFF}a", ["\u{FEFF}a"]),
  ])
  func `a mark of byte order counts nowhere but at the start`(
    text: String, expected: [String]
  ) throws {
    #expect(try lines(Array(text.utf8)).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }

  @Test func `lines longer than a read are whole`() throws {
    let long = String(repeating: "x", count: 200_000)
    #expect(try lines(Array("a\n\(long)\nb\n".utf8)) == ["a", long, "b"])
  }

  @Test func `a stream without newlines has an end`() throws {
    let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: LineReader.longestLine + (1 << 17))
    #expect(throws: DataError.self) { try lines(bytes) }
  }

  @Test func `a file that is not there is named`() throws {
    let error = try #require(throws: FileError.self) {
      _ = try ByteSource.contents(of: "/nowhere/at/all")
    }
    #expect("\(error)" == "/nowhere/at/all: cannot read: No such file or directory")
  }
}
