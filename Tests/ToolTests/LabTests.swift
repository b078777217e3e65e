import Foundation
import TestSupport
import Testing

@Suite struct `Experiments with lab` {
  static let names = ["adding", "clipping", "copying", "gradients", "truncation"]
  let folder = TemporaryFolder()

  private func run(_ arguments: String...) throws -> Tool.Outcome {
    try Tool.run(["lab", "--quick", "--quiet", "--output", folder.path] + arguments)
  }

  /// The rows of an experiment's CSV file, without the header.
  private func rows(_ name: String) -> [[Substring]] {
    folder.text("\(name).csv").split(separator: "\n").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
  }

  @Test func `all experiments are written as CSV and SVG, and summed up`() throws {
    let outcome = try run()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.errors.isEmpty)
    #expect(folder.names == Self.names.flatMap { ["\($0).csv", "\($0).svg"] })
    for name in Self.names {
      #expect(outcome.output.contains("\n\(name): ") || outcome.output.hasPrefix("\(name): "))
      #expect(outcome.output.contains(folder.file("\(name).svg")))
      let svg = folder.text("\(name).svg")
      #expect(svg.hasPrefix("<svg "))
      #expect(isWellFormed(svg))
      #expect(svg.contains("prefers-color-scheme: dark"))
      #expect(!svg.contains("nan") && !svg.contains("inf\""))
      let header = folder.text("\(name).csv").prefix { $0 != "\n" }.split(separator: ",")
      #expect(!rows(name).isEmpty)
      #expect(rows(name).allSatisfy { $0.count == header.count })
    }
  }

  @Test func `every measurement of every seed has a row`() throws {
    #expect(try run("--seeds", "2").code == 0)
    // Three cells and two lags.
    #expect(rows("adding").count == 3 * 2 * 2)
    #expect(rows("copying").count == 3 * 2 * 2)
    // Three cells, new and trained, and three radii; lags up to 12 frames.
    #expect(rows("gradients").count == 9 * 2 * 6)
    // Three limits and five epochs.
    #expect(rows("clipping").count == 3 * 2 * 5)
    #expect(rows("truncation").count == 2 * 2)
  }

  @Test func `the files do not depend on the number of threads`() throws {
    #expect(try run("adding", "gradients", "--threads", "1").code == 0)
    let before = folder.names.map { folder.bytes(of: $0) }
    #expect(try run("adding", "gradients", "--threads", "3").code == 0)
    #expect(folder.names.map { folder.bytes(of: $0) } == before)
    #expect(try run("adding", "--seeds", "2").code == 0)
    #expect(folder.names.map { folder.bytes(of: $0) } != before)
  }

  @Test func `only what is asked for is done, once`() throws {
    let outcome = try run("truncation", "adding", "truncation")
    #expect(outcome.code == 0)
    #expect(folder.names == ["adding.csv", "adding.svg", "truncation.csv", "truncation.svg"])
    #expect(outcome.output.ranges(of: "truncation: ").count == 1)
  }

  @Test func `progress says what is done, and what is left`() throws {
    let outcome = try Tool.run("lab", "clipping", "--quick", "--output", folder.path)
    #expect(outcome.errors.contains("lab [####################] 100 %  clipping 3/3  left 0:00"))
  }

  @Test func `a folder that is missing is made`() throws {
    let path = folder.file("results")
    #expect(try Tool.run("lab", "truncation", "--quick", "--output", path).code == 0)
    #expect(folder.names == ["results"])
    #expect(FileManager.default.fileExists(atPath: path + "/truncation.svg"))
  }

  @Test func `what cannot be written is refused before the work`() throws {
    for (path, reason) in [
      (folder.file("none/results"), "none/results: cannot write: No such file or directory"),
      (try folder.write("file", "text"), "file/adding.csv: cannot write: Not a directory"),
    ] {
      let outcome = try Tool.run("lab", "--output", path)
      #expect(outcome.code == 73)
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    }
    let taken = folder.file("truncation.csv")
    try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
    let outcome = try Tool.run("lab", "--output", folder.path)
    #expect(outcome.code == 73)
    #expect(outcome.errors.contains("truncation.csv: cannot write: Is a directory"))
    #expect(folder.names == ["file", "truncation.csv"])
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal leaves whole experiments, and nothing of the one that it ended`(
    signal: Int32, code: Int32
  ) throws {
    let scratch = TemporaryFolder()
    let process = try Tool.start(
      ["lab", "adding", "copying", "--quick", "--seeds", "100", "--output", folder.path],
      scratch: scratch)
    while process.isRunning, !folder.names.contains("adding.svg") { usleep(500) }
    process.send(signal)
    #expect(try process.wait() == code)
    #expect(folder.names == ["adding.csv", "adding.svg"])
    #expect(rows("adding").count == 3 * 2 * 100)
    #expect(scratch.text("errors").contains("interrupted in 'copying', of which nothing was"))
  }
}
