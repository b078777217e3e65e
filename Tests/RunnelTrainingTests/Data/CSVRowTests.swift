import RunnelTraining
import Testing

@Suite struct `Splitting a line of CSV` {
  private func row(_ text: String) throws -> CSVRow {
    try CSVRow(text[...], file: "a.csv", line: 7)
  }

  @Test(arguments: [
    ("1,2,3", ["1", "2", "3"]), (" 1 ,\t2,3\r", ["1", "2", "3"]), ("a", ["a"]), ("", [""]),
    (",", ["", ""]), ("\"a,b\",c", ["a,b", "c"]), ("\"say \"\"a\"\"\",x", ["say \"a\"", "x"]),
    ("\"\",\" b \"", ["", " b "]), ("é,日本", ["é", "日本"]),
  ])
  func `fields are what stands between commas`(text: String, fields: [String]) throws {
    #expect(try row(text).fields == fields)
  }

  @Test(arguments: [("a,\"b", 2), ("\"a\"b,c", 1), ("x,y,\"z\" z", 3)])
  func `a quote that does not end well is refused at its column`(
    text: String, column: Int
  ) throws {
    let error = try #require(throws: DataError.self) { try row(text) }
    #expect(error.line == 7)
    #expect(error.column == column)
  }

  @Test(arguments: [
    ("a,b", true), ("1,b", false), ("1,2", false), ("a,", false), ("nan,inf", false),
  ])
  func `names are fields of which none is a number`(text: String, isHeader: Bool) throws {
    #expect(try row(text).isHeader == isHeader)
  }

  @Test func `an error reads like a sentence`() throws {
    let error = try #require(throws: DataError.self) { try row("1,x").number(1, name: "c2") }
    #expect(
      "\(error)"
        == "a.csv: line 7, column 2 (c2): found 'x', expected a number such as -0.25 or 3e-2")
  }
}
