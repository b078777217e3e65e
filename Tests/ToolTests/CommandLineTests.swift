import Testing

@Suite struct `The command line` {
  static let commands = [
    "train", "run", "info", "verify", "sample", "bench", "plan", "quantize", "demo", "lab",
  ]

  @Test func `help names every command`() throws {
    for arguments in [["help"], ["--help"], ["-h"]] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 0)
      #expect(outcome.errors.isEmpty)
      for command in Self.commands { #expect(outcome.output.contains("  \(command) ")) }
    }
  }

  @Test(arguments: commands)
  func `a command has help with usage, options and what it does`(command: String) throws {
    let help = try Tool.run("help", command)
    #expect(help.code == 0)
    #expect(help.output.hasPrefix("Usage: runnel \(command)"))
    #expect(help.output.contains("Examples:\n  runnel \(command)"))
    #expect(help.output.contains("--help"))
    #expect(help.lines.allSatisfy { $0.count <= 100 })
    #expect(try Tool.run(command, "--help").output == help.output)
  }

  @Test func `the version is one line`() throws {
    let outcome = try Tool.run("--version")
    #expect(outcome.code == 0)
    #expect(outcome.lines.count == 1)
    #expect(outcome.output.hasPrefix("runnel "))
  }

  @Test(arguments: [
    ([], "a command is missing"),
    (["fly"], "unknown command 'fly'"),
    (["run"], "MODEL is missing"),
    (["run", "a", "b", "c"], "unexpected argument 'c'"),
    (["run", "--speed", "a"], "unknown option '--speed'"),
    (["run", "-x", "a"], "unknown option '-x'"),
    (["run", "a", "--level"], "needs a value"),
    (["run", "a", "--level", "v9"], "v2, v3, v4"),
    (["run", "a", "--level", "v3", "--level=v2"], "twice"),
    (["run", "a", "--skip-bad=yes"], "takes no value"),
    (["run", "a", "--input-format", "xml"], "csv, f32, text"),
    (["train", "a", "--epochs", "0"], "from 1 to"),
    (["train", "a", "--seed", "-1"], "from 0 to"),
    (["sample", "a", "--temperature", "hot"], "from 0 to 100"),
    (["bench"], "--cell, --input and --hidden"),
    (["bench", "--cell", "tcn", "--input", "1", "--hidden", "1"], "gru-reset-before"),
    (["lab"], "--output FOLDER is missing"),
    (["lab", "adding", "flying", "--output", "a"], "unknown experiment 'flying'"),
    (["lab", "--output", "a", "--seeds", "0"], "from 1 to 100"),
    (["help", "fly"], "unknown command 'fly'"),
  ])
  func `a wrong argument ends with 64, the reason and the usage`(
    arguments: [String], reason: String
  ) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.code == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains(reason))
    #expect(outcome.errors.contains("Usage: runnel"))
  }
}
