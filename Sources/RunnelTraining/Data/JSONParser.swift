/// Reads JSON (RFC 8259) strictly, keeping the place of every value.
///
/// Stricter than the RFC asks: a key stands once in an object, and nesting ends at 64 levels.
package struct JSONParser {
  private let bytes: [UInt8]
  private let file: String
  private var index = 0
  private var line = 1
  private var column = 1
  private static let deepest = 64

  /// Parses a whole file.
  ///
  /// - Parameters:
  ///   - bytes: The file's content.
  ///   - file: The name that errors carry.
  /// - Throws: ``DataError`` at the first character that is not as it should be.
  package static func parse(_ bytes: [UInt8], file: String) throws(DataError) -> JSONValue {
    var parser = JSONParser(bytes: bytes, file: file)
    parser.skipSpace()
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.index == bytes.count else {
      throw parser.error("the end of the file after the outermost value")
    }
    return value
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }
  private var location: JSONValue.Location { .init(line: line, column: column) }

  private mutating func advance() {
    let byte = bytes[index]
    index += 1
    if byte == UInt8(ascii: "\n") {
      line += 1
      column = 1
    } else if byte & 0xC0 != 0x80 {
      column += 1
    }
  }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { advance() }
  }

  private func error(_ expected: String) -> DataError {
    let found =
      switch next {
      case nil: "the end of the file"
      case .some(let byte) where byte < 0x20: "a control character"
      case .some:
        "'\(String(decoding: bytes[index...].prefix(4), as: UTF8.self).first!)'"
      }
    return DataError(file: file, line: line, column: column, found: found, expected: expected)
  }

  private mutating func take(_ character: Unicode.Scalar, _ expected: String) throws(DataError) {
    guard next == UInt8(ascii: character) else { throw error(expected) }
    advance()
  }

  private mutating func value(depth: Int) throws(DataError) -> JSONValue {
    let start = location
    guard depth < Self.deepest else { throw error("at most \(Self.deepest) levels of nesting") }
    let content: JSONValue.Content
    switch next {
    case UInt8(ascii: "{"): content = .object(try members(depth: depth))
    case UInt8(ascii: "["): content = .array(try elements(depth: depth))
    case UInt8(ascii: "\""): content = .string(try string())
    case UInt8(ascii: "t"): content = try word("true", .boolean(true))
    case UInt8(ascii: "f"): content = try word("false", .boolean(false))
    case UInt8(ascii: "n"): content = try word("null", .null)
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
      content = .number(try number())
    default: throw error("a value: { [ \" a number, true, false or null")
    }
    return JSONValue(content: content, location: start)
  }

  private mutating func word(
    _ text: String, _ content: JSONValue.Content
  ) throws(DataError) -> JSONValue.Content {
    guard bytes[index...].starts(with: text.utf8) else { throw error(text) }
    for _ in text.utf8 { advance() }
    return content
  }

  private mutating func members(depth: Int) throws(DataError) -> [JSONValue.Member] {
    advance()
    var members: [JSONValue.Member] = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      advance()
      return members
    }
    while true {
      skipSpace()
      let start = location
      guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes") }
      let name = try string()
      guard !members.contains(where: { $0.name == name }) else {
        throw DataError(
          file: file, line: start.line, column: start.column, found: "the key \"\(name)\" again",
          expected: "each key once")
      }
      skipSpace()
      try take(":", "':' after a key")
      skipSpace()
      members.append(.init(name: name, location: start, value: try value(depth: depth + 1)))
      skipSpace()
      if next == UInt8(ascii: ",") {
        advance()
        continue
      }
      try take("}", "',' or '}'")
      return members
    }
  }

  private mutating func elements(depth: Int) throws(DataError) -> [JSONValue] {
    advance()
    var elements: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      advance()
      return elements
    }
    while true {
      skipSpace()
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if next == UInt8(ascii: ",") {
        advance()
        continue
      }
      try take("]", "',' or ']'")
      return elements
    }
  }

  private mutating func string() throws(DataError) -> String {
    let start = location
    advance()
    var content: [UInt8] = []
    while true {
      switch next {
      case UInt8(ascii: "\""):
        advance()
        guard let text = String(validating: content, as: UTF8.self) else {
          throw DataError(
            file: file, line: start.line, column: start.column, found: "bytes that are not UTF-8",
            expected: "text in UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        advance()
        content.append(contentsOf: String(try escape()).utf8)
      case .some(let byte) where byte >= 0x20:
        content.append(byte)
        advance()
      default: throw error("the closing '\"' of the text that starts in column \(start.column)")
      }
    }
  }

  private mutating func escape() throws(DataError) -> Unicode.Scalar {
    let escapes: [Unicode.Scalar: Unicode.Scalar] = [
      "\"": "\"", "\\": "\\", "/": "/", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r",
      "t": "\t",
    ]
    if let byte = next, let scalar = escapes[Unicode.Scalar(byte)] {
      advance()
      return scalar
    }
    try take("u", "one of \" \\ / b f n r t u after '\\'")
    var code = try fourDigits()
    if 0xD800...0xDBFF ~= code {
      try take("\\", "the second half of a surrogate pair")
      try take("u", "the second half of a surrogate pair")
      let low = try fourDigits()
      guard 0xDC00...0xDFFF ~= low else { throw error("the second half of a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw error("a valid character") }
    return scalar
  }

  private mutating func fourDigits() throws(DataError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits after '\\u'")
      }
      code = code << 4 + UInt32(digit)
      advance()
    }
    return code
  }

  private mutating func digits() throws(DataError) {
    let ten = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let byte = next, ten ~= byte else { throw error("a digit") }
    while let byte = next, ten ~= byte { advance() }
  }

  private mutating func number() throws(DataError) -> Double {
    let first = index
    let start = location
    if next == UInt8(ascii: "-") { advance() }
    if next == UInt8(ascii: "0") { advance() } else { try digits() }
    if next == UInt8(ascii: ".") {
      advance()
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      advance()
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { advance() }
      try digits()
    }
    let text = String(decoding: bytes[first..<index], as: UTF8.self)
    guard let number = Double(text), number.isFinite else {
      throw DataError(
        file: file, line: start.line, column: start.column, found: text,
        expected: "a number that a Double can hold")
    }
    return number
  }
}
