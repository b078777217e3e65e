/// A JSON value that knows where it stands in its file.
package struct JSONValue: Equatable, Sendable {
  /// A place in a text file: line and character, both from 1.
  package struct Location: Equatable, Sendable {
    package var line: Int
    package var column: Int
  }
  /// A key of an object with its value.
  package struct Member: Equatable, Sendable {
    package var name: String
    package var location: Location
    package var value: JSONValue
  }
  /// What the value is.
  package enum Content: Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])
  }

  package var content: Content
  package var location: Location

  /// The value in words, for messages: a short value itself, otherwise its kind.
  package var summary: String {
    switch content {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let value) where value == value.rounded() && value.magnitude < 1e15:
      "\(Int(value))"
    case .number(let value): "\(value)"
    case .string(let value): value.count <= 40 ? "\"\(value)\"" : "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
