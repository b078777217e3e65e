/// A command line that does not mean anything.
struct UsageError: Error {
  /// What is wrong, in words.
  let message: String
  /// The command whose usage is shown; `nil` where no command was recognised.
  let syntax: CommandSyntax?
}

/// The words behind a command's name, sorted into operands and options.
struct Arguments {
  private let syntax: CommandSyntax
  /// What stands in the operands' places.
  let operands: [String]
  private var values: [String: String] = [:]
  private var switches: Set<String> = []

  /// Sorts words; `--name value`, `--name=value`, and `--` before operands that start with a dash.
  ///
  /// - Throws: ``UsageError`` for an option that is unknown, given twice or lacks its value, and
  ///   for too few or too many operands.
  init(_ words: [String], syntax: CommandSyntax) throws(UsageError) {
    self.syntax = syntax
    var operands: [String] = []
    var rest = words[...]
    func fault(_ message: String) -> UsageError { UsageError(message: message, syntax: syntax) }
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      if word == "-h" {
        switches.insert("help")
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0].drop { $0 == "-" })
      if parts[0] == "--help" && parts.count == 1 {
        switches.insert("help")
        continue
      }
      guard parts[0].hasPrefix("--"), let option = syntax.options.first(where: { $0.name == name })
      else { throw fault("unknown option '\(parts[0])'") }
      guard values[name] == nil, !switches.contains(name) else {
        throw fault("the option '--\(name)' is given twice")
      }
      if let value = option.value {
        guard let text = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw fault("the option '--\(name)' needs a value: --\(name) \(value)")
        }
        values[name] = text
      } else {
        guard parts.count == 1 else { throw fault("the option '--\(name)' takes no value") }
        switches.insert(name)
      }
    }
    self.operands = operands
    guard !switches.contains("help") else { return }
    if operands.count > syntax.operands.count, syntax.operands.last?.isRepeated != true {
      throw fault("unexpected argument '\(operands[syntax.operands.count])'")
    }
    if operands.count < syntax.operands.count, !syntax.operands[operands.count].isOptional {
      throw fault("\(syntax.operands[operands.count].name) is missing")
    }
  }

  /// Whether help was asked for.
  var wantsHelp: Bool { switches.contains("help") }

  /// The operand at a place, where it is given.
  func operand(_ index: Int) -> String? { operands.indices ~= index ? operands[index] : nil }

  /// Whether a switch is on.
  func has(_ name: String) -> Bool {
    precondition(syntax.options.contains { $0.name == name && $0.value == nil })
    return switches.contains(name)
  }

  /// The text behind an option.
  func string(_ name: String) -> String? {
    precondition(syntax.options.contains { $0.name == name && $0.value != nil })
    return values[name]
  }

  /// The value of an option.
  ///
  /// - Parameters:
  ///   - expected: What the value may be, in words.
  ///   - parse: Reads the text; `nil` where it is not as expected.
  func value<Value>(
    _ name: String, _ expected: String, parse: (String) -> Value?
  ) throws(UsageError) -> Value? {
    guard let text = string(name) else { return nil }
    guard let value = parse(text) else {
      throw error("the option '--\(name)' takes \(expected), not '\(text)'")
    }
    return value
  }

  /// A whole number in a range.
  func int(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    try value(name, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range ~= $0 ? $0 : nil }
    }
  }

  /// A seed: any whole number from 0.
  func seed() throws(UsageError) -> UInt64? {
    try value("seed", "a whole number from 0 to \(UInt64.max)") { UInt64($0) }
  }

  /// One of some words.
  func choice<Value>(
    _ name: String, _ choices: KeyValuePairs<String, Value>
  ) throws(UsageError) -> Value? {
    try value(name, "one of " + choices.map(\.key).joined(separator: ", ")) { text in
      choices.first { $0.key == text }?.value
    }
  }

  /// An error in what was given.
  func error(_ message: String) -> UsageError { UsageError(message: message, syntax: syntax) }
}
