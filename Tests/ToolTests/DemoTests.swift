import Foundation
import TestSupport
import Testing

@Suite struct `runnel demo` {
  /// The repository, in which the tests were built.
  static let repository = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test func `the whole path ends with a good model, cheap steps and no allocation`() throws {
    let folder = TemporaryFolder()
    let outcome = try Tool.run(
      ["demo", "--json", "--output", folder.path], in: Self.repository.path)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let object = try outcome.object()
    #expect(try #require(object["accuracy"] as? Double) >= 0.975)
    #expect(object["allocationsInStep"] as? Int == 0)
    #expect(try #require(object["medianNs"] as? Double) > 0)
    #expect(try #require(object["sessionBytes"] as? Int) > 0)
    #expect(folder.names == ["vowels.runnel", "vowels.svg"])
    let model = folder.file("vowels.runnel")
    let size = folder.bytes(of: "vowels.runnel")?.count
    #expect(object["modelBytes"] as? Int == size)
    #expect(try Tool.run("verify", model).code == 0)
  }

  @Test func `Ctrl-C ends it without a promise that it cannot keep`() throws {
    let scratch = TemporaryFolder()
    let folder = TemporaryFolder()
    let process = try Tool.start(
      ["demo", "--output", folder.path], scratch: scratch, in: Self.repository.path)
    while process.isRunning, !folder.names.contains("vowels.checkpoint") { usleep(500) }
    process.send(SIGINT)
    #expect(try process.wait() == 130)
    let errors = scratch.text("errors")
    #expect(errors.contains("interrupted in epoch"))
    #expect(!errors.contains("resume"), "\(errors)")
  }

  @Test func `elsewhere it says where it wants to be run`() throws {
    let folder = TemporaryFolder()
    let outcome = try Tool.run(["demo"], in: folder.path)
    #expect(outcome.code == 66)
    #expect(outcome.errors.contains("models/vowels/recipe.json"))
    #expect(outcome.errors.contains("folder of the repository"))
  }
}
