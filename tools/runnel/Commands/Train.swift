enum Train: Command {
  static let syntax = CommandSyntax(name: "train", summary: "x")
  static func run(_ arguments: Arguments) throws {}
}
enum Demo: Command {
  static let syntax = CommandSyntax(name: "demo", summary: "x")
  static func run(_ arguments: Arguments) throws {}
}
