import RunnelTraining
import TestSupport
import Testing

@Suite struct `Recipes of lines` {
  let folder = TemporaryFolder()

  private static let one =
    "\"layers\": [ { \"kind\": \"embedding\", \"size\": 3 }, { \"kind\": \"dense\" } ]"
  private static let two = """
    "programs": [
      { "name": "encode", "layers": [
        { "kind": "embedding", "size": 3 }, { "kind": "gru", "hidden": 4 } ] },
      { "name": "decode", "layers": [
        { "kind": "embedding", "size": 3 }, { "kind": "gru", "hidden": 4 }, { "kind": "dense" } ] }
    ]
    """

  private func recipe(
    _ lines: String, _ data: String, network: String = one, test: String? = nil
  ) throws -> Recipe {
    try folder.write("train.tsv", lines)
    if let test { try folder.write("test.tsv", test) }
    try folder.write(
      "recipe.json",
      """
      { "name": "a", "data": { "kind": "lines", "train": "train.tsv", \(data)
        \(test == nil ? "" : ", \"test\": \"test.tsv\"") },
        "network": { \(network), "loss": "softmax-cross-entropy" }, "training": { "epochs": 1 } }
      """)
    return try Recipe(path: folder.file("recipe.json"))
  }

  private func error(
    _ lines: String, _ data: String, network: String = one, test: String? = nil
  ) throws -> DataError {
    try #require(throws: DataError.self) {
      let recipe = try recipe(lines, data, network: network, test: test)
      let data = try RecipeData(recipe)
      _ = try recipe.network.specification(inputs: data.inputs, outputSize: data.outputSize)
    }
  }

  @Test func `a label for a line of words is predicted at the last word`() throws {
    let data = try RecipeData(
      recipe("so good\tyes\nso so\tno\n", "\"input\": \"words\", \"predict\": \"label\""))
    #expect(data.inputLabels == ["good", "so"])
    #expect(data.labels == ["no", "yes"])
    #expect(data.training.map(\.inputs) == [[1, 0], [1, 1]])
    #expect(data.training.map(\.targets) == [.classAtLast(1), .classAtLast(0)])
    #expect(data.inputTokens == .words)
    #expect(data.tokens == nil)
  }

  @Test func `words that are rare are one unknown word, in the test set too`() throws {
    let data = try RecipeData(
      recipe(
        "a a b\tyes\n", "\"input\": \"words\", \"predict\": \"label\", \"minimumCount\": 2",
        test: "c a\tyes\n"))
    #expect(data.inputLabels == ["<unknown>", "a"])
    #expect(data.training[0].inputs == [1, 1, 0])
    #expect(data.test?[0].inputs == [0, 1])
  }

  @Test func `each word can have a label of its own`() throws {
    let data = try RecipeData(
      recipe("the can\tD N\ncan\tV\n", "\"input\": \"words\", \"predict\": \"labels\""))
    #expect(data.labels == ["D", "N", "V"])
    #expect(data.training.map(\.targets) == [.classPerFrame([0, 1]), .classPerFrame([2])])
  }

  @Test func `a text to predict begins and ends with the same label`() throws {
    let data = try RecipeData(
      recipe(
        "ab\tba\n", "\"input\": \"characters\", \"predict\": \"characters\"", network: Self.two))
    #expect(data.inputs == [.index(size: 2), .index(size: 3)])
    #expect(data.labels == ["<end>", "a", "b"])
    #expect(data.endLabel == "<end>")
    let sequence = data.training[0]
    #expect(sequence.context == [TrainingSequence.Context(inputs: [0, 1], length: 2)])
    #expect(sequence.inputs == [0, 2, 1])
    #expect(sequence.targets == .classPerFrame([2, 1, 0]))
  }

  @Test func `numbers are one frame, from which a text is written`() throws {
    let data = try RecipeData(
      recipe(
        "0 1.5 2\ta two\n", "\"input\": \"numbers\", \"predict\": \"words\"", network: Self.two))
    #expect(data.inputs == [.vector(size: 3), .index(size: 3)])
    #expect(data.training[0].context == [TrainingSequence.Context(inputs: [0, 1.5, 2], length: 1)])
    #expect(data.labels == ["<end>", "a", "two"])
  }

  @Test(arguments: [
    ("a\n", "1", "0 tabs"), ("a\tb\tc\n", "1", "2 tabs"), ("\tb\n", "1", "before the tab"),
    ("a\tyes\nb\t\n", "2", "after the tab"), ("", "1", "the end of the file"),
  ])
  func `a line that is no input, tab and target is refused`(
    lines: String, line: String, found: String
  ) throws {
    let error = try error(lines, "\"input\": \"words\", \"predict\": \"label\"")
    #expect(error.file.hasSuffix("train.tsv"))
    #expect(error.line == Int(line))
    #expect(error.found.contains(found))
  }

  @Test func `labels that are not as many as the words are refused`() throws {
    let error = try error("a b\tX Y\na b\tX\n", "\"input\": \"words\", \"predict\": \"labels\"")
    #expect(error.line == 2)
    #expect(error.found == "1 labels")
  }

  @Test func `a word that training never saw is refused where none are unknown`() throws {
    let error = try error(
      "a\tyes\n", "\"input\": \"words\", \"predict\": \"label\"", test: "a\tyes\nb a\tyes\n")
    #expect(error.file.hasSuffix("test.tsv"))
    #expect(error.line == 2)
    #expect(error.found.contains("\"b\""))
    #expect(error.expected.contains("minimumCount"))
  }

  @Test func `a label that training never saw is refused`() throws {
    let error = try error(
      "a\tyes\n", "\"input\": \"words\", \"predict\": \"label\"", test: "a\tno\n")
    #expect(error.line == 1)
    #expect(error.found == "\"no\"")
  }

  @Test(arguments: ["1 2 3", "1 nan", "1 x", "1 inf"])
  func `numbers that are too many or not finite are refused`(input: String) throws {
    let error = try error(
      "1 2\ta\n\(input)\ta\n", "\"input\": \"numbers\", \"predict\": \"label\"")
    #expect(error.line == 2)
  }

  @Test(arguments: [
    ("\"input\": \"numbers\", \"predict\": \"labels\"", "data.predict"),
    ("\"input\": \"words\", \"predict\": \"words\", \"labels\": [\"a\"]", "data.labels"),
    ("\"input\": \"numbers\", \"predict\": \"label\", \"minimumCount\": 2", "data.minimumCount"),
    ("\"input\": \"letters\", \"predict\": \"label\"", "data.input"),
    ("\"input\": \"words\", \"predict\": \"label\", \"oneHot\": true", "data.oneHot"),
  ])
  func `a recipe that asks for what cannot be is refused`(data: String, element: String) throws {
    #expect(try error("1\ta\n", data).element == element)
  }

  @Test func `a text to predict needs two programs, and a label one`() throws {
    let needsTwo = try error("a\tb\n", "\"input\": \"words\", \"predict\": \"words\"")
    #expect(needsTwo.expected.contains("\"programs\""))
    let needsOne = try error(
      "a\tb\n", "\"input\": \"words\", \"predict\": \"label\"", network: Self.two)
    #expect(needsOne.expected.contains("\"layers\""))
  }

  @Test func `two programs of one name are refused`() throws {
    let error = try error(
      "a\tb\n", "\"input\": \"words\", \"predict\": \"words\"",
      network: Self.two.replacing("decode", with: "encode"))
    #expect(error.element == "network.programs[1].name")
  }
}
