import Foundation
import RunnelTraining
import TestSupport
import Testing

@Suite struct `Reading recipes` {
  let folder = TemporaryFolder()

  private func recipe(data: String, training: String = "", network: String = "") throws -> Recipe {
    let layers =
      network.isEmpty ? "{ \"kind\": \"gru\", \"hidden\": 4 }, { \"kind\": \"dense\" }" : network
    let text = """
      { "name": "a", "data": { \(data) },
        "network": { "layers": [ \(layers) ], "loss": "softmax-cross-entropy" },
        "training": { "epochs": 5 \(training) } }
      """
    try folder.write("recipe.json", text)
    return try Recipe(path: folder.file("recipe.json"))
  }

  private static let text = "\"kind\": \"text\", \"text\": \"hello\", \"input\": \"one-hot\""

  /// The folder of the models, in the repository in which the tests were built.
  private static let models = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "models").path

  @Test(arguments: [
    ("vowels/recipe", 9, 12, 270, 370), ("motions/recipe", 4, 6, 40, 40),
    ("hello/recipe-rnn", 4, 4, 1, 0), ("hello/recipe-lstm", 4, 4, 1, 0),
    ("hello/recipe-gru", 4, 4, 1, 0),
  ])
  func `the recipes of the repository fit their data`(
    name: String, classes: Int, width: Int, training: Int, test: Int
  ) throws {
    let recipe = try Recipe(path: "\(Self.models)/\(name).json")
    let data = try RecipeData(recipe)
    #expect(data.labels.count == classes)
    #expect(data.inputs == [.vector(size: width)])
    #expect(data.training.count == training)
    #expect(data.test?.count ?? 0 == test)
    let specification = try recipe.network.specification(
      inputs: data.inputs, outputSize: data.outputSize)
    #expect(specification.layers.last == .dense(size: classes))
    #expect(recipe.output.hasPrefix(Self.models))
  }

  @Test func `a text is a sequence whose targets are its next characters`() throws {
    let data = try RecipeData(recipe(data: Self.text))
    #expect(data.labels == ["e", "h", "l", "o"])
    let sequence = try #require(data.training.first)
    #expect(sequence.length == 4)
    #expect(sequence.targets == .classPerFrame([0, 2, 2, 3]))
    #expect(sequence.inputs == [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0])
  }

  @Test func `characters that only look the same are two`() throws {
    let text = "\"kind\": \"text\", \"text\": \"aKb \u{212A} a\", \"input\": \"index\""
    let data = try RecipeData(recipe(data: text))
    #expect(
      data.labels.map { Array($0.unicodeScalars) } == [[" "], ["K"], ["a"], ["b"], ["\u{212A}"]])
    #expect(data.training.map(\.inputs) == [[2, 1, 3, 0, 4, 0]])
    let given = text + ", \"labels\": [\"K\", \"\u{212A}\", \"a\", \"b\", \" \"]"
    #expect(try RecipeData(recipe(data: given)).training.map(\.inputs) == [[2, 0, 3, 4, 1, 4]])
  }

  @Test(arguments: [("\"ab\"", "ab"), ("\"e\u{301}\"", "one character"), ("\"a\"", "again")])
  func `a label of a text is one character, once`(label: String, found: String) throws {
    let text = "\"kind\": \"text\", \"text\": \"aba\", \"input\": \"index\""
    let error = try #require(throws: DataError.self) {
      _ = try recipe(data: text + ", \"labels\": [\"a\", \(label)]")
    }
    #expect(error.element == "data.labels[1]")
    #expect("\(error)".contains(found))
  }

  @Test func `labels beside targets are as many`() throws {
    try folder.write("t.csv", "x,y,z\n1,2,3\n")
    let source =
      "\"kind\": \"frames\", \"train\": \"t.csv\", \"targets\": [\"y\", \"z\"], "
      + "\"predict\": \"every\", \"labels\": "
    #expect(try recipe(data: source + "[\"left\", \"right\"]").name == "a")
    let error = try #require(throws: DataError.self) { _ = try recipe(data: source + "[\"a\"]") }
    #expect(error.element == "data.labels")
  }

  @Test func `a long text is cut into sequences that lose no target`() throws {
    let text =
      "\"kind\": \"text\", \"text\": \"abcabca\", \"input\": \"index\", \"sequenceLength\": 4"
    let data = try RecipeData(recipe(data: text))
    #expect(data.inputs == [.index(size: 3)])
    #expect(data.training.map(\.inputs) == [[0, 1, 2, 0], [1, 2]])
    #expect(
      data.training.map(\.targets) == [.classPerFrame([1, 2, 0, 1]), .classPerFrame([2, 0])])
  }

  @Test func `every frame can have a class of its own`() throws {
    try folder.write("t.csv", "n,c,x\n1,b,0.5\n1,a,1\n2,b,2\n")
    let source =
      "\"kind\": \"frames\", \"train\": \"t.csv\", \"sequence\": \"n\", \"label\": \"c\", "
    let data = try RecipeData(recipe(data: source + "\"predict\": \"every\""))
    #expect(data.labels == ["a", "b"])
    #expect(data.features == ["x"])
    #expect(data.training.map(\.targets) == [.classPerFrame([1, 0]), .classPerFrame([1])])
    let error = try #require(throws: DataError.self) {
      _ = try RecipeData(recipe(data: source + "\"predict\": \"last\""))
    }
    #expect(error.line == 3)
    #expect(error.column == 2)
  }

  @Test func `classes that are numbers stand in the order of the numbers`() throws {
    try folder.write("t.csv", "c,x\n10,1\n9,1\n2,1\n")
    let source =
      "\"kind\": \"frames\", \"train\": \"t.csv\", \"label\": \"c\", \"predict\": \"every\""
    #expect(try RecipeData(recipe(data: source)).labels == ["2", "9", "10"])
    let order = source + ", \"labels\": [\"10\", \"9\", \"2\"]"
    #expect(try RecipeData(recipe(data: order)).labels == ["10", "9", "2"])
  }

  @Test func `settings that are left out are the trainer's`() throws {
    #expect(try recipe(data: Self.text).settings == TrainingSettings(epochs: 5))
  }

  @Test func `no norm means no clipping`() throws {
    let settings = try recipe(data: Self.text, training: ", \"clipNorm\": null").settings
    #expect(settings == TrainingSettings(epochs: 5, clipNorm: nil))
  }

  @Test func `settings that are given are taken`() throws {
    let settings = try recipe(
      data: Self.text,
      training: """
        , "batchSize": 7, "window": 9, "clipNorm": 0.5, "labelSmoothing": 0.1, "averaging": 0.5,
        "validationFraction": 0.25, "patience": 4, "minimumCropFraction": 0.75, "seed": 11,
        "buckets": true, "scheduledSampling": 0.5,
        "optimizer": { "kind": "rmsprop", "smoothing": 0.9 },
        "schedule": { "kind": "one-cycle", "peak": 0.25, "warmUp": 0.5 }
        """
    ).settings
    #expect(
      settings
        == TrainingSettings(
          epochs: 5, batchSize: 7, window: 9, optimizer: .rmsprop(smoothing: 0.9),
          schedule: .oneCycle(peak: 0.25, warmUp: 0.5), clipNorm: 0.5, labelSmoothing: 0.1,
          averaging: 0.5, validationFraction: 0.25, patience: 4, minimumCropFraction: 0.75,
          buckets: true, scheduledSampling: 0.5, seed: 11))
  }
}
