import Foundation
import Testing

/// The built tool, run as its users run it: as a process.
enum Tool {
  /// What a finished process left.
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    var lines: [String] {
      output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        .map(String.init)
    }
  }

  /// The executable: it stands beside the test bundle that this code runs in.
  static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "runnel")

  /// Runs the tool to its end.
  ///
  /// - Parameters:
  ///   - input: What comes from standard input.
  ///   - folder: The working directory.
  ///   - environment: Variables besides those of the tests.
  static func run(
    _ arguments: [String], input: Data = Data(), in folder: URL? = nil
  ) throws -> Outcome {
    let scratch = try Folder()
    let process = process(arguments, in: folder)
    process.standardInput = try FileHandle(forReadingFrom: scratch.write("input", input))
    let output = try scratch.write("output", Data())
    let errors = try scratch.write("errors", Data())
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationReason == .exit
        ? process.terminationStatus
        : 128 + process.terminationStatus,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  static func run(_ arguments: String..., input: String = "") throws -> Outcome {
    try run(arguments, input: Data(input.utf8))
  }

  /// The tool, ready to be started.
  static func process(_ arguments: [String], in folder: URL? = nil) -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = folder }
    return process
  }
}

/// A folder that goes away with this.
final class Folder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "runnel-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a file.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// Writes a file.
  @discardableResult
  func write(_ name: String, _ data: Data) throws -> URL {
    let file = url.appending(path: name)
    try data.write(to: file)
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Data(text.utf8)).path
  }

  /// The names of the files.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }
}

extension Tool.Outcome {
  /// The outcome's JSON object.
  func object() throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(lines.last!.utf8)) as? [String: Any])
  }
}
