import Foundation
import TestSupport
import Testing

/// The built tool, run as its users run it: as a process.
enum Tool {
  /// What a finished process left.
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    /// The lines of the output.
    var lines: [String] {
      output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// The JSON object in the last line.
    func object() throws -> [String: Any] {
      let line = Data(try #require(lines.last).utf8)
      return try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
    }
  }

  /// The executable: it stands beside the tests, which are an executable too.
  static let executable: String = {
    let tests = try! FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return tests[...tests.lastIndex(of: "/")!] + "runnel"
  }()

  /// Runs the tool to its end.
  ///
  /// - Parameters:
  ///   - input: What comes from standard input.
  ///   - folder: The working directory.
  static func run(
    _ arguments: [String], input: [UInt8], in folder: String? = nil
  ) throws -> Outcome {
    let scratch = TemporaryFolder()
    try scratch.write("input", input)
    let process = try start(arguments, scratch: scratch, in: folder)
    return Outcome(
      code: try process.wait(), output: scratch.text("output"), errors: scratch.text("errors"))
  }

  static func run(
    _ arguments: [String], input: String = "", in folder: String? = nil
  ) throws -> Outcome {
    try run(arguments, input: Array(input.utf8), in: folder)
  }

  static func run(_ arguments: String..., input: String = "") throws -> Outcome {
    try run(arguments, input: input)
  }

  /// Starts the tool on the files `input`, `output` and `errors` of a folder.
  static func start(
    _ arguments: [String], scratch: TemporaryFolder, in folder: String? = nil
  ) throws -> ChildProcess {
    func open(_ name: String, _ flags: Int32) throws -> Int32 {
      let descriptor = unsafe Foundation.open(
        scratch.file(name), flags | O_CLOEXEC | O_CREAT, 0o600)
      guard descriptor >= 0 else { throw SystemError("open") }
      return descriptor
    }
    let streams = ChildProcess.Streams(
      input: try open("input", O_RDONLY), output: try open("output", O_WRONLY),
      errors: try open("errors", O_WRONLY))
    defer { for stream in [streams.input, streams.output, streams.errors] { close(stream) } }
    return try ChildProcess(executable, arguments, streams: streams, in: folder)
  }
}
