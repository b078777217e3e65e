import Glibc
import Runnel
import RunnelTraining

/// The command-line tool.
@main
struct Tool {
  static let version = "0.1.0"
  static let commands: [any Command.Type] = [
    Demo.self, Train.self, Run.self, Info.self, Verify.self, Sample.self, Bench.self,
    Plan.self, Quantize.self, Lab.self,
  ]

  static func main() {
    // A closed pipe is then an error of `write`, which ends the process quietly.
    signal(SIGPIPE, SIG_IGN)
    Interruption.prepare()
    exit(code(for: Array(CommandLine.arguments.dropFirst())).rawValue)
  }

  /// Runs a command line and says how it went.
  private static func code(for words: [String]) -> ExitCode {
    do {
      try dispatch(words)
      return .success
    } catch let error as UsageError {
      StandardError.write("runnel: \(error.message)\n")
      let name = error.syntax.map { " \($0.name)" } ?? ""
      StandardError.write((error.syntax?.usage ?? usage) + "\n")
      StandardError.write("'runnel help\(name)' explains everything.\n")
      return .usage
    } catch let error as Failure {
      StandardError.write("runnel: \(error.message)\n")
      return error.code
    } catch let error as DataError {
      StandardError.write("runnel: \(error)\n")
      return .data
    } catch let error as FileError {
      StandardError.write("runnel: \(error)\n")
      return error.action == .read ? .noInput : .cannotCreate
    } catch let error as StepError {
      let fault = error.dataError(file: "the model", line: nil, frame: nil)
      StandardError.write("runnel: \(fault)\n")
      return .data
    } catch is ClosedPipe {
      return .success
    } catch {
      StandardError.write("runnel: \(error)\n")
      return .failure
    }
  }

  private static let usage = "Usage: runnel COMMAND [OPTIONS] [ARGUMENTS]"

  private static func dispatch(_ words: [String]) throws {
    switch words.first {
    case nil: throw UsageError(message: "a command is missing", syntax: nil)
    case "--version": try printResult("runnel \(version)")
    case "help", "--help", "-h":
      if words.count > 2 {
        throw UsageError(message: "unexpected argument '\(words[2])'", syntax: nil)
      }
      try printResult(words.count == 2 ? command(words[1]).syntax.help : help)
    case let name?:
      let command = try command(name)
      let arguments = try Arguments(Array(words.dropFirst()), syntax: command.syntax)
      if arguments.wantsHelp {
        try printResult(command.syntax.help)
      } else {
        try command.run(arguments)
      }
    }
  }

  private static func command(_ name: String) throws(UsageError) -> any Command.Type {
    guard let command = commands.first(where: { $0.syntax.name == name }) else {
      let names = commands.map { $0.syntax.name }.joined(separator: ", ")
      throw UsageError(
        message: "unknown command '\(name)'; the commands are \(names), help", syntax: nil)
    }
    return command
  }

  private static let helpRow = ("help", "Show this, or the help of a command: runnel help run")

  private static var help: String {
    """
    \(usage)

    Trains recurrent networks (RNN, LSTM, GRU) and runs them frame by frame.

    Start here:
      runnel demo                                   train, export and stream, in a minute
      runnel train models/vowels/recipe.json        make a model from a recipe
      runnel run models/vowels/vowels.runnel FILE   predict from frames

    Commands:
    \(CommandSyntax.table(commands.map { ($0.syntax.name, $0.syntax.summary) } + [helpRow]))

    Options:
      --help      Show this; behind a command, the command's help.
      --version   Show the version.

    Exit codes: 0 done, 1 the answer is no, 64 wrong arguments, 65 wrong data, 66 a file
    cannot be read, 69 the CPU lacks instructions, 73 a file cannot be written, 74 results
    cannot be written, 130 interrupted.

    """
  }
}
