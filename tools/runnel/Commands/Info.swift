import Runnel

/// `runnel info`: what a model is made of.
enum Info: Command {
  static let syntax = CommandSyntax(
    name: "info",
    summary: "Shows what a model takes, computes and gives, and how much memory that needs.",
    operands: [.init(name: "MODEL", help: "A .runnel file.")],
    examples: ["runnel info models/vowels/vowels.runnel"],
    options: [
      LoadedModel.levelOption, .init(name: "json", help: "Print the same as one JSON object."),
    ])

  static func run(_ arguments: Arguments) throws {
    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    let summary = try ModelSummary(loaded)
    try printResult(arguments.has("json") ? summary.json.text : summary.text)
  }
}
