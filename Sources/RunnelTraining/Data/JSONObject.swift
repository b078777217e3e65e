/// A JSON value on its way into the program's own types, with its path for error messages.
package struct JSONField: Sendable {
  /// The file's name.
  package let file: String
  /// Where the value stands, such as `network.layers[0].hidden`.
  package let path: String
  /// The value.
  package let value: JSONValue

  /// The outermost value of a file.
  package init(file: String, value: JSONValue) {
    self.file = file
    path = ""
    self.value = value
  }

  fileprivate init(file: String, path: String, value: JSONValue) {
    self.file = file
    self.path = path
    self.value = value
  }

  /// An error that says what was expected here.
  package func error(found: String? = nil, expected: String) -> DataError {
    DataError(
      file: file, line: value.location.line, column: value.location.column,
      element: path.isEmpty ? nil : path, found: found ?? value.summary, expected: expected)
  }

  /// The value as a text.
  package func string(_ expected: String = "a text in double quotes") throws(DataError) -> String {
    guard case .string(let text) = value.content, !text.isEmpty else {
      throw error(expected: expected)
    }
    return text
  }

  /// The value as a truth value.
  package func boolean() throws(DataError) -> Bool {
    guard case .boolean(let value) = value.content else {
      throw error(expected: "true or false")
    }
    return value
  }

  /// The value as a number that satisfies a condition, which `expected` states in words.
  package func number(
    _ expected: String, where isValid: (Double) -> Bool = { _ in true }
  ) throws(DataError) -> Double {
    guard case .number(let number) = value.content, isValid(number),
      Float(number).isFinite
    else { throw error(expected: expected) }
    return number
  }

  /// The value as a whole number in a range.
  package func wholeNumber(_ range: ClosedRange<Int>) throws(DataError) -> Int {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let number = Int(exactly: try number(expected)), range ~= number else {
      throw error(expected: expected)
    }
    return number
  }

  /// The value as one of some words.
  package func choice<Choice>(
    _ choices: KeyValuePairs<String, Choice>
  ) throws(DataError) -> Choice {
    let expected = "one of " + choices.map { "\"\($0.key)\"" }.joined(separator: ", ")
    let text = try string(expected)
    guard let choice = choices.first(where: { $0.key == text }) else {
      throw error(expected: expected)
    }
    return choice.value
  }

  /// The value as a list with at least one element.
  package func list() throws(DataError) -> [JSONField] {
    guard case .array(let elements) = value.content, !elements.isEmpty else {
      throw error(expected: "a list with at least one element, in [ ]")
    }
    return elements.enumerated().map { index, element in
      JSONField(file: file, path: "\(path)[\(index)]", value: element)
    }
  }

  /// The value as a list of texts, none of them twice.
  package func strings() throws(DataError) -> [String] {
    var strings: [String] = []
    for field in try list() {
      let text = try field.string()
      guard !strings.contains(text) else {
        throw field.error(found: "\"\(text)\" again", expected: "each text once")
      }
      strings.append(text)
    }
    return strings
  }

  /// The value as a list of single characters, none of them twice.
  ///
  /// A character is a Unicode scalar: two that look and count the same to a reader are still two.
  package func characters() throws(DataError) -> [Unicode.Scalar] {
    var characters: [Unicode.Scalar] = []
    for field in try list() {
      let scalars = try field.string().unicodeScalars
      guard scalars.count == 1, let character = scalars.first else {
        throw field.error(expected: "a text of one character (one Unicode scalar)")
      }
      guard !characters.contains(character) else {
        throw field.error(
          found: "the character \(character.debugDescription) again",
          expected: "each character once")
      }
      characters.append(character)
    }
    return characters
  }

  /// The value as an object.
  ///
  /// - Parameter keys: The keys that may stand in it; another one is refused before anything else.
  package func object(_ keys: String...) throws(DataError) -> JSONObject {
    guard case .object(let members) = value.content else {
      throw error(expected: "an object, in { }")
    }
    let object = JSONObject(field: self, members: members)
    try object.refuse(allBut: keys)
    return object
  }
}

/// An object whose keys are taken one by one.
package struct JSONObject {
  private let field: JSONField
  private let members: [JSONValue.Member]
  private var known: [String] = []

  fileprivate init(field: JSONField, members: [JSONValue.Member]) {
    self.field = field
    self.members = members
  }

  private func path(_ name: String) -> String {
    field.path.isEmpty ? name : "\(field.path).\(name)"
  }

  /// A value that may be left out; `null` counts as left out.
  package mutating func optional(_ name: String) -> JSONField? {
    known.append(name)
    guard let member = members.first(where: { $0.name == name }), member.value.content != .null
    else { return nil }
    return JSONField(file: field.file, path: path(name), value: member.value)
  }

  /// Whether a key stands there with the value `null`.
  package func isNull(_ name: String) -> Bool {
    members.contains { $0.name == name && $0.value.content == .null }
  }

  /// A value that must be there.
  package mutating func required(_ name: String) throws(DataError) -> JSONField {
    guard let value = optional(name) else { throw missing(name) }
    return value
  }

  /// The error for a value that is not there.
  package func missing(_ name: String) -> DataError {
    field.error(found: "no \"\(name)\"", expected: "the key \"\(name)\"")
  }

  /// Refuses keys that nobody asked for, such as those of another kind of layer.
  package func finish() throws(DataError) { try refuse(allBut: known) }

  fileprivate func refuse(allBut known: [String]) throws(DataError) {
    guard let stranger = members.first(where: { !known.contains($0.name) }) else { return }
    throw DataError(
      file: field.file, line: stranger.location.line, column: stranger.location.column,
      element: path(stranger.name), found: "an unknown key",
      expected: "one of " + known.map { "\"\($0)\"" }.joined(separator: ", "))
  }
}
