import RunnelTraining
import Testing

@Suite struct `Reading JSON` {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONParser.parse(Array(text.utf8), file: "a.json")
  }

  @Test func `every value knows its line and column`() throws {
    let value = try parse("{\n  \"a\": [1, \"é\",  true],\n  \"b\": null }")
    guard case .object(let members) = value.content else { throw Unexpected() }
    #expect(members.map(\.name) == ["a", "b"])
    #expect(members.map(\.location.line) == [2, 3])
    #expect(members.map(\.location.column) == [3, 3])
    guard case .array(let elements) = members[0].value.content else { throw Unexpected() }
    #expect(elements.map(\.location.column) == [9, 12, 18])
    #expect(elements.map(\.content) == [.number(1), .string("é"), .boolean(true)])
    #expect(members[1].value.content == .null)
  }

  @Test(arguments: [
    ("\"a\\n\\t\\\"\\\\\\/\"", "a\n\t\"\\/"), ("\"\\u00e9\"", "é"), ("\"\\ud83d\\ude00\"", "😀"),
    ("\"\"", ""),
  ])
  func `escapes are undone`(text: String, expected: String) throws {
    #expect(try parse(text).content == .string(expected))
  }

  @Test(arguments: ["0", "-0.5", "1e3", "12.25E-2", "9007199254740991"])
  func `numbers are what they say`(text: String) throws {
    #expect(try parse(text).content == .number(Double(text)!))
  }

  @Test(arguments: [
    ("", 1, 1), ("{", 1, 2), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\" 1}", 1, 6), ("01", 1, 2),
    ("+1", 1, 1), (".5", 1, 1), ("1.", 1, 3), ("1e", 1, 3), ("tru", 1, 1), ("nan", 1, 1),
    ("\"a", 1, 3), ("\"a\nb\"", 1, 3), ("\"\\x\"", 1, 3), ("\"\\u12g4\"", 1, 6),
    ("\"\\ud800\"", 1, 8), ("{\"a\":1,\n\"a\":2}", 2, 1), ("1\n x", 2, 2), ("1e999", 1, 1),
    ("// no\n1", 1, 1),
  ])
  func `what is not JSON is refused at its place`(text: String, line: Int, column: Int) throws {
    let error = try #require(throws: DataError.self) { try parse(text) }
    #expect(error.file == "a.json")
    #expect(error.line == line, "\(error)")
    #expect(error.column == column, "\(error)")
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    #expect(throws: DataError.self) {
      try JSONParser.parse([0x22, 0xFF, 0x22], file: "a.json")
    }
  }

  @Test func `nesting has an end`() throws {
    let deep = String(repeating: "[", count: 100_000)
    let error = try #require(throws: DataError.self) { try parse(deep) }
    #expect(error.expected.contains("nesting"))
    #expect(try parse("[[[[1]]]]").location.column == 1)
  }
}

/// A value is of another kind than the test needs.
struct Unexpected: Error {}
