/// A command of the tool.
protocol Command: Sendable {
  /// How it is called, and its help.
  static var syntax: CommandSyntax { get }
  /// Does it.
  static func run(_ arguments: Arguments) throws
}
