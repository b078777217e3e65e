import Runnel
import TestSupport
import Testing

/// Models that read and write tokens, from their recipe to what they write.
@Suite struct `Models of two programs` {
  let folder = TemporaryFolder()

  private static let coder = """
    { "kind": "embedding", "size": 6 }, { "kind": "gru", "hidden": 20 }
    """
  /// Letters that are to be written in reverse.
  private static let reversing = """
    { "name": "reverse",
      "data": { "kind": "lines", "train": "train.tsv", "test": "train.tsv", "input": "characters",
        "predict": "characters" },
      "network": {
        "programs": [ { "name": "encode", "layers": [ \(coder) ] },
          { "name": "decode", "layers": [ \(coder), { "kind": "dense" } ] } ],
        "loss": "softmax-cross-entropy" },
      "training": { "epochs": 150, "batchSize": 9, "buckets": true,
        "schedule": { "kind": "constant", "rate": 0.01 } } }
    """
  private static let lines = "a\ta\nb\tb\nc\tc\nab\tba\nba\tab\nbc\tcb\ncb\tbc\nac\tca\nabc\tcba\n"

  /// Trains on files, and gives the model's path.
  private func train(_ recipe: String, _ lines: String) throws -> (model: String, Tool.Outcome) {
    try folder.write("train.tsv", lines)
    try folder.write("recipe.json", recipe)
    let model = folder.file("model.runnel")
    let outcome = try Tool.run("train", folder.file("recipe.json"), "--output", model, "--quiet")
    #expect(outcome.code == 0, "\(outcome.errors)")
    return (model, outcome)
  }

  @Test func `an encoder and a decoder read lines and write them in reverse`() throws {
    let (model, trained) = try train(Self.reversing, Self.lines)
    #expect(trained.output.contains("test       exact 1.0000 (9 of 9), token by token"))
    #expect(trained.output.contains("agreement  within "))
    let description = try ModelDescription(path: model)
    #expect(description.programs.map(\.name) == ["encode", "decode"])
    #expect(description.metadata.inputLabels == ["a", "b", "c"])
    #expect(description.metadata.labels == ["<end>", "a", "b", "c"])
    #expect(try Tool.run("verify", model).code == 0)

    let answers = "a\nba\ncba\n"
    #expect(try Tool.run("sample", model, input: "a\nab\nabc\n").output == answers)
    let file = try folder.write("lines.txt", "a\nab\nabc\n")
    #expect(try Tool.run("sample", model, file).output == answers)
    #expect(try Tool.run("sample", model, file, "--beam", "3").output == answers)
    #expect(try Tool.run("sample", model, "--prompt", "abc").output == "cba\n")
    #expect(try Tool.run("sample", model, "--prompt", "abc", "--length", "2").output == "cb\n")
    // Drawing with the seed, at a temperature at which anything may come.
    let drawn = try (1...3).map { seed in
      try Tool.run(
        "sample", model, "--prompt", "abc", "--temperature", "20", "--seed", "\(seed)",
        "--length", "40"
      ).output
    }
    #expect(Set(drawn).count > 1)
    let narrow = try Tool.run(
      "sample", model, "--prompt", "abc", "--temperature", "20", "--top-k", "1")
    #expect(narrow.output == "cba\n")
    let sure = try Tool.run(
      "sample", model, "--prompt", "abc", "--temperature", "1", "--top-p", "0.01")
    #expect(sure.output == "cba\n")
  }

  @Test func `what a model of two programs cannot take is refused`() throws {
    let (model, _) = try train(Self.reversing, Self.lines)
    let strange = try Tool.run("sample", model, input: "ab\naxb\n")
    #expect(strange.code == 65)
    #expect(strange.output == "ba\n")
    #expect(strange.errors.contains("line 2"))
    #expect(strange.errors.contains("\"x\""))
    let empty = try Tool.run("sample", model, input: "ab\n\n")
    #expect(empty.code == 65)
    #expect(empty.errors.contains("line 2"))
    for arguments in [
      ["--beam", "2", "--temperature", "1"], ["--prompt", "a", "file.txt"], ["--top-p", "0"],
      ["--top-k", "0"], ["--beam", "0"],
    ] {
      let outcome = try Tool.run(["sample", model] + arguments)
      #expect(outcome.code == 64, "\(arguments)")
      #expect(outcome.errors.contains("Usage: runnel"))
    }
    var description = try ModelDescription(path: model)
    description.metadata.entries["end"] = nil
    try description.write(to: model)
    let endless = try Tool.run("sample", model, input: "ab\n")
    #expect(endless.code == 65)
    #expect(endless.errors.contains("'end'"))
  }

  @Test func `numbers become a state, from which words are written`() throws {
    let (model, trained) = try train(
      """
      { "name": "count",
        "data": { "kind": "lines", "train": "train.tsv", "input": "numbers", "predict": "words" },
        "network": {
          "programs": [
            { "name": "start", "layers": [ { "kind": "dense", "size": 40 }, { "kind": "tanh" },
              { "kind": "state", "hidden": 20, "cell": true } ] },
            { "name": "step", "layers": [ { "kind": "embedding", "size": 6 },
              { "kind": "lstm", "hidden": 20 }, { "kind": "dense" } ] } ],
          "loss": "softmax-cross-entropy" },
        "training": { "epochs": 200, "batchSize": 4,
          "schedule": { "kind": "constant", "rate": 0.01 } } }
      """,
      "1 0\tone left\n0 1\tone right\n1 1\ttwo\n0 0\tnone at all\n")
    #expect(trained.output.contains("training   exact 1.0000 (4 of 4)"))
    let outcome = try Tool.run("sample", model, input: "0 1\n1,1\n0 0\n")
    #expect(outcome.output == "one right\ntwo\nnone at all\n")
    let short = try Tool.run("sample", model, input: "0\n")
    #expect(short.code == 65)
    #expect(short.errors.contains("1 numbers"))
    let word = try Tool.run("sample", model, input: "0 x\n")
    #expect(word.errors.contains("'x'"))
    // The first program answers frames like any other.
    let state = try Tool.run("run", model, "--program", "start", input: "0,1\n")
    #expect(state.lines[0].split(separator: ",").count == 20)
  }

  @Test func `words get a label each, and a new line is a new stream`() throws {
    let (model, trained) = try train(
      """
      { "name": "tags",
        "data": { "kind": "lines", "train": "train.tsv", "input": "words", "predict": "labels",
          "minimumCount": 2 },
        "network": { "layers": [ { "kind": "embedding", "size": 6 },
          { "kind": "gru", "hidden": 12 }, { "kind": "dense" } ],
          "loss": "softmax-cross-entropy" },
        "training": { "epochs": 150, "batchSize": 4,
          "schedule": { "kind": "constant", "rate": 0.01 } } }
      """,
      "the can\tD N\nthe run\tD N\nthey can run\tP V V\nthey run\tP V\ncan\tV\nrun\tV\nodd\tN\n")
    #expect(trained.output.contains("training   accuracy 1.0000 (12 of 12)"))
    let outcome = try Tool.run(
      "run", model, "--input-format", "text", input: "the can\nthey  can\nnever\n")
    let labels = outcome.lines.map { $0.split(separator: ",").first.map(String.init) ?? "" }
    #expect(labels == ["D", "N", "", "P", "V", "", "N", ""])
    // Without a word for unknown ones, such a word is a mistake.
    var description = try ModelDescription(path: model)
    description.metadata.inputLabels[0] = "something"
    try description.write(to: model)
    let strange = try Tool.run(
      "run", model, "--input-format", "text", input: "the can\nnever\n")
    #expect(strange.code == 65)
    #expect(strange.errors.contains("line 2"))
    #expect(strange.errors.contains("\"never\""))
  }

  @Test func `a line gets a label at its last word`() throws {
    let (model, trained) = try train(
      """
      { "name": "mood",
        "data": { "kind": "lines", "train": "train.tsv", "input": "words", "predict": "label" },
        "network": { "layers": [ { "kind": "embedding", "size": 6 },
          { "kind": "lstm", "hidden": 12 }, { "kind": "dense" } ],
          "loss": "softmax-cross-entropy" },
        "training": { "epochs": 150, "batchSize": 4,
          "schedule": { "kind": "constant", "rate": 0.01 } } }
      """,
      "good\tyes\nnot good\tno\nbad\tno\nnot bad\tyes\n")
    #expect(trained.output.contains("training   accuracy 1.0000 (4 of 4)"))
    let outcome = try Tool.run(
      "run", model, "--input-format", "text", input: "not good\nnot bad\n")
    #expect(outcome.lines[1].hasPrefix("no,"))
    #expect(outcome.lines[4].hasPrefix("yes,"))
  }

  @Test func `a text is scored in bits a character`() throws {
    try folder.write("train.txt", "abababababab")
    try folder.write("test.txt", "babababababa")
    try folder.write(
      "text.json",
      """
      { "name": "ab", "data": { "kind": "text", "train": "train.txt", "test": "test.txt",
          "input": "index" },
        "network": { "layers": [ { "kind": "embedding", "size": 4 },
          { "kind": "lstm", "hidden": 8 }, { "kind": "dense" } ],
          "loss": "softmax-cross-entropy" },
        "training": { "epochs": 1, "schedule": { "kind": "constant", "rate": 1e-9 } } }
      """)
    let outcome = try Tool.run(
      "train", folder.file("text.json"), "--output", folder.file("ab.runnel"), "--quiet")
    // Untrained, between two characters: about one bit.
    let bits = try #require(
      outcome.output.firstMatch(of: #/test +([0-9.]+) bits a character/#).flatMap { Double($0.1) })
    #expect(abs(bits - 1) < 0.3)
  }
}
