/// What can be written behind a command's name, and what it means: the source of its help.
struct CommandSyntax {
  /// The command's name.
  let name: String
  /// What the command does, in one line.
  let summary: String
  /// What stands behind the options, in order.
  var operands: [Operand] = []
  /// What a newcomer needs to know besides, in lines of at most 80 characters.
  var details = ""
  /// Command lines to try.
  var examples: [String] = []
  /// The options, without `--help`, which every command has.
  var options: [Option] = []

  /// Something that is given by its place.
  struct Operand {
    let name: String
    var isOptional = false
    /// Whether more like it may follow; only of the last.
    var isRepeated = false
    let help: String
  }

  /// Something that is given by its name.
  struct Option {
    /// The name, without the dashes.
    let name: String
    /// What its value is; `nil` for a switch.
    var value: String?
    /// What it does, with unit and default; further lines are indented by the help.
    let help: String
  }

  /// The first line of the help.
  var usage: String {
    var words = ["Usage: runnel", name]
    if !options.isEmpty { words.append("[OPTIONS]") }
    words += operands.map {
      ($0.isOptional ? "[\($0.name)]" : $0.name) + ($0.isRepeated ? "..." : "")
    }
    return words.joined(separator: " ")
  }

  /// The whole help.
  var help: String {
    var sections = [usage, summary]
    if !details.isEmpty { sections.append(details) }
    if !examples.isEmpty {
      sections.append("Examples:\n" + examples.map { "  \($0)" }.joined(separator: "\n"))
    }
    if !operands.isEmpty {
      sections.append("Arguments:\n" + Self.table(operands.map { ($0.name, $0.help) }))
    }
    let all = options + [Option(name: "help", help: "Show this help.")]
    sections.append(
      "Options:\n"
        + Self.table(all.map { ("--\($0.name)" + ($0.value.map { " \($0)" } ?? ""), $0.help) }))
    return sections.joined(separator: "\n\n") + "\n"
  }

  /// Names with what they mean, in two columns.
  static func table(_ rows: [(name: String, help: String)]) -> String {
    let width = (rows.map(\.name.count).max() ?? 0) + 2
    return rows.map { row in
      let name = "  " + row.name + String(repeating: " ", count: width - row.name.count)
      let indent = "\n" + String(repeating: " ", count: width + 2)
      return name + row.help.split(separator: "\n").joined(separator: indent)
    }.joined(separator: "\n")
  }
}
