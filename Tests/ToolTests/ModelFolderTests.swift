import Foundation
import Runnel
import TestSupport
import Testing

/// The models of the repository: their recipes train, and their files stream.
@Suite struct `The models' folders` {
  let folder = TemporaryFolder()

  private static let models = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models").path

  private static func path(_ name: String) -> String { "\(models)/\(name)" }

  private func lines(of name: String) throws -> [String] {
    try String(contentsOfFile: Self.path(name), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  // MARK: Recipes

  /// Every recipe, with so many lines of its data as a short run takes.
  static let recipes = [
    ("hello/recipe-rnn.json", 0), ("hello/recipe-lstm.json", 0), ("hello/recipe-gru.json", 0),
    ("vowels/recipe.json", 80), ("vowels/recipe-128.json", 40), ("motions/recipe.json", 200),
    ("caption/recipe.json", 20), ("sentiment/recipe.json", 40), ("tagging/recipe.json", 40),
    ("translate/recipe.json", 30), ("gesture/recipe.json", 180), ("charlm/recipe.json", 30),
  ]

  @Test func `no recipe is left out here`() throws {
    let found = try FileManager.default.subpathsOfDirectory(atPath: Self.models)
      .filter { $0.contains("/recipe") && $0.hasSuffix(".json") }
    #expect(found.sorted() == Self.recipes.map(\.0).sorted())
  }

  @Test(arguments: recipes)
  func `a recipe trains on a little of its data`(name: String, count: Int) throws {
    let object = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(filePath: Self.path(name))))
    var recipe = try #require(object as? [String: Any])
    var data = try #require(recipe["data"] as? [String: Any])
    if let train = data["train"] as? String {
      let source = name.split(separator: "/")[0] + "/" + train
      try folder.write(train, try lines(of: source).prefix(count).joined(separator: "\n") + "\n")
      // A little of the training data need not have all of what the test data has.
      if data["test"] != nil { data["test"] = train }
      // Nor all classes or characters.
      if data["predict"] as? String == "last" { data["labels"] = nil }
    }
    recipe["data"] = data
    try folder.write(
      "recipe.json",
      String(decoding: JSONSerialization.data(withJSONObject: recipe), as: UTF8.self))
    let model = folder.file("model.runnel")
    let outcome = try Tool.run(
      "train", folder.file("recipe.json"), "--output", model, "--epochs", "1", "--quiet")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("agreement  within "))
    #expect(try Tool.run("verify", model).code == 0)
  }

  /// Recipes that take seconds, with the file that each gives and the score that `models/README.md` states.
  @Test(arguments: [
    ("hello/recipe-rnn.json", "hello/hello-rnn.runnel", 1),
    ("hello/recipe-lstm.json", "hello/hello-lstm.runnel", 1),
    ("hello/recipe-gru.json", "hello/hello-gru.runnel", 1),
    ("vowels/recipe.json", "vowels/vowels.runnel", 0.989),
    ("motions/recipe.json", "motions/motions.runnel", 1),
    ("tagging/recipe.json", "tagging/tagging.runnel", 0.999),
  ])
  func `a recipe gives its model again`(recipe: String, model: String, stated: Double) throws {
    let again = folder.file("again.runnel")
    let outcome = try Tool.run(
      "train", Self.path(recipe), "--output", again, "--quiet", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let score = try #require(try outcome.object()["score"] as? Double)
    #expect(abs(score - stated) <= 0.02)
    // The files were made on such a CPU.
    guard InstructionLevel.best == .v4 else { return }
    let committed = try Data(contentsOf: URL(filePath: Self.path(model)))
    #expect(
      folder.bytes(of: "again.runnel") == Array(committed),
      "other bits: the kernels or the recipe have changed, or this system's pow and exp are others")
  }

  // MARK: Models

  @Test(arguments: ["sentiment", "tagging"])
  func `a model of words answers each word of its sample`(name: String) throws {
    let outcome = try Tool.run(
      "run", Self.path("\(name)/\(name).runnel"), Self.path("\(name)/sample.txt"),
      "--input-format", "text")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let words = try lines(of: "\(name)/sample.txt").map { $0.split(separator: " ").count }
    #expect(words.count == 10)
    // Behind each line stands an empty one.
    #expect(outcome.lines.count == words.reduce(0) { $0 + $1 + 1 })
    #expect(outcome.lines.filter { $0.isEmpty }.count == 10)
  }

  @Test(arguments: ["gesture", "motions", "vowels"])
  func `a model of numbers answers each frame of its sample`(name: String) throws {
    let sample = Self.path("\(name)/sample.csv")
    let outcome = try Tool.run("run", Self.path("\(name)/\(name).runnel"), sample)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.lines.count == (try lines(of: "\(name)/sample.csv").count))
  }

  @Test func `dates in words become dates in digits`() throws {
    let model = Self.path("translate/translate.runnel")
    let outcome = try Tool.run("sample", model, Self.path("translate/sample.txt"))
    let expected = try lines(of: "translate/test.tsv").prefix(20).map {
      String($0.split(separator: "\t")[1])
    }
    #expect(zip(outcome.lines, expected).filter { $0 == $1 }.count >= 19)
    #expect(outcome.lines.count == 20)
    let one = try Tool.run("sample", model, "--prompt", "the third of March, 1987")
    #expect(one.output == "1987-03-03\n")
  }

  @Test func `images of digits become sentences`() throws {
    let outcome = try Tool.run(
      "sample", Self.path("caption/caption.runnel"), Self.path("caption/sample.txt"),
      "--beam", "4")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.lines.count == 5)
    #expect(outcome.lines.allSatisfy { $0.split(separator: " ").count >= 2 })
  }

  @Test func `the character model writes what looks like this repository`() throws {
    let model = Self.path("charlm/charlm.runnel")
    let outcome = try Tool.run(
      "sample", model, "--prompt", "  public static func ", "--length", "400", "--temperature",
      "0.5")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let words = ["let ", "func ", "return ", "Float", "Int", "self", "///", "throws"]
    #expect(words.filter { outcome.output.contains($0) }.count >= 2, "\(outcome.output)")
  }

  @Test(arguments: ["rnn", "lstm", "gru"])
  func `hell is followed by ello`(cell: String) throws {
    let outcome = try Tool.run(
      "sample", Self.path("hello/hello-\(cell).runnel"), "--prompt", "h", "--length", "4",
      "--temperature", "0")
    #expect(outcome.output == "hello\n")
  }
}
