import Foundation
import Runnel
import TestSupport
import Testing

/// A folder with a small data set and a recipe for it.
struct Workshop {
  let folder: TemporaryFolder

  static let recipe = """
    {
      "name": "signs",
      "data": {
        "kind": "frames",
        "train": "train.csv",
        "test": "test.csv",
        "sequence": "sequence",
        "label": "label",
        "predict": "last"
      },
      "network": {
        "normalise": true,
        "layers": [
          { "kind": "gru", "hidden": 5 },
          { "kind": "dense" }
        ],
        "loss": "softmax-cross-entropy"
      },
      "training": {
        "epochs": 30,
        "batchSize": 4,
        "schedule": { "kind": "constant", "rate": 0.02 },
        "seed": 3
      },
      "frameRate": 50,
      "provenance": ["Made up by a test"]
    }
    """

  /// Sequences of two numbers whose sum is above 0 or below.
  static func data(sequences: Int, offset: Int) -> String {
    var lines = ["sequence,label,x,y"]
    for sequence in 0..<sequences {
      let sign = sequence % 2 == 0 ? 1.0 : -1.0
      for frame in 0..<4 + sequence % 3 {
        let wobble = Double((sequence * 31 + frame * 17 + offset) % 11) / 10 - 0.5
        let label = sign > 0 ? "up" : "down"
        lines.append("\(sequence),\(label),\(sign + wobble),\(sign - wobble)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  init() throws {
    folder = TemporaryFolder()
    try folder.write("recipe.json", Self.recipe)
    try folder.write("train.csv", Self.data(sequences: 12, offset: 0))
    try folder.write("test.csv", Self.data(sequences: 6, offset: 5))
  }

  /// Writes the recipe anew with a part of its text replaced.
  func change(_ old: String, _ new: String) throws {
    #expect(Self.recipe.contains(old))
    try folder.write("recipe.json", Self.recipe.replacing(old, with: new))
  }

  var model: String { folder.file("signs.runnel") }

  func train(_ arguments: String...) throws -> Tool.Outcome {
    try Tool.run(["train", folder.file("recipe.json")] + arguments)
  }
}

@Suite struct `runnel train` {
  let workshop: Workshop

  init() throws { workshop = try Workshop() }

  // MARK: What it makes

  @Test func `a recipe becomes a model, a curve and a score`() throws {
    let outcome = try workshop.train()
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("test       accuracy 1.0000 (6 of 6)"))
    #expect(outcome.errors.contains("epoch 30/30"))
    #expect(
      workshop.folder.names
        == ["recipe.json", "signs.runnel", "signs.svg", "test.csv", "train.csv"])
    #expect(try Tool.run("verify", workshop.model).code == 0)

    let description = try ModelDescription(path: workshop.model)
    #expect(description.metadata.name == "signs")
    #expect(description.metadata.labels == ["down", "up"])
    #expect(description.metadata.entries["features"] == ["x", "y"])
    #expect(description.metadata.frameRate == 50)
    #expect(description.metadata.provenance.contains("Made up by a test"))
    #expect(description.metadata.provenance.last!.contains("recipe.json, seed 3, epoch 30 of 30"))
    #expect(!description.golden.runs.isEmpty)
  }

  @Test func `the curve is well-formed, has axes and a legend, and knows light and dark`() throws {
    try workshop.change("\"seed\": 3", "\"validationFraction\": 0.3, \"seed\": 3")
    #expect(try workshop.train("--quiet").code == 0)
    let text = workshop.folder.text("signs.svg")
    #expect(isWellFormed(text))
    for part in [
      ">epoch<", ">loss of signs<", ">accuracy of signs<", ">training<", ">validation<",
      "prefers-color-scheme: dark", "<polyline",
    ] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test func `the same seed gives the same file, another one gives another`() throws {
    #expect(try workshop.train("--quiet").code == 0)
    let first = workshop.folder.bytes(of: "signs.runnel")
    let other = workshop.folder.file("other.runnel")
    #expect(try workshop.train("--quiet", "--output", other, "--threads", "1").code == 0)
    #expect(workshop.folder.bytes(of: "other.runnel") == first)
    #expect(try workshop.train("--quiet", "--output", other, "--seed", "4").code == 0)
    #expect(workshop.folder.bytes(of: "other.runnel") != first)
  }

  @Test func `quiet means no progress`() throws {
    let outcome = try workshop.train("--quiet")
    #expect(outcome.errors.isEmpty)
    #expect(outcome.lines.count == 4)
  }

  @Test func `json has the course of the training, epoch by epoch`() throws {
    let outcome = try workshop.train("--quiet", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let result = try outcome.object()
    #expect(result["score"] as? Double == 1)
    #expect(result["set"] as? String == "test")
    #expect(result["model"] as? String == workshop.model)
    let course = try #require(result["course"] as? [[String: Any]])
    #expect(course.compactMap { $0["epoch"] as? Int } == Array(1...30))
    let seconds = course.compactMap { $0["seconds"] as? Double }
    #expect(seconds.count == 30)
    #expect(zip(seconds, seconds.dropFirst()).allSatisfy { $0 < $1 })
    let losses = course.compactMap { $0["loss"] as? Double }
    #expect(losses.count == 30)
    #expect(try #require(losses.last) < losses[0])
  }

  @Test func `numbers are predicted for targets`() throws {
    try workshop.change("\"label\": \"label\"", "\"targets\": [\"y\"], \"features\": [\"x\"]")
    let recipe = workshop.folder.text("recipe.json")
      .replacing("softmax-cross-entropy", with: "mean-squared-error")
    try workshop.folder.write("recipe.json", recipe)
    let outcome = try workshop.train("--quiet")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("root mean squared error"))
    let run = try Tool.run("run", workshop.model, input: "x\n0.5\n")
    #expect(run.lines.count == 2)
    #expect(run.lines[0] == "y")
  }

  @Test(arguments: ["one-hot", "index"])
  func `a text becomes a model that writes it`(input: String) throws {
    let embedding = input == "index" ? "{ \"kind\": \"embedding\", \"size\": 4 }," : ""
    let recipe = try workshop.folder.write(
      "text.json",
      """
      { "name": "word", "data": { "kind": "text", "text": "stream", "input": "\(input)" },
        "network": { "layers": [ \(embedding) { "kind": "lstm", "hidden": 8 },
          { "kind": "dense" } ], "loss": "softmax-cross-entropy" },
        "training": { "epochs": 200, "batchSize": 1,
          "schedule": { "kind": "constant", "rate": 0.02 } } }
      """)
    let outcome = try Tool.run("train", recipe, "--quiet")
    #expect(outcome.output.contains("accuracy 1.0000 (5 of 5)"), "\(outcome.errors)")
    let sample = try Tool.run(
      "sample", workshop.folder.file("word.runnel"), "--prompt", "s", "--length", "5",
      "--temperature", "0")
    #expect(sample.output == "stream\n")
  }

  @Test(arguments: [("", "training   accuracy", "of 12)"), ("v", "validation accuracy", "of 6)")])
  func `what is predicted at the last frame is scored there, wherever it is taught`(
    validation: String, set: String, count: String
  ) throws {
    try workshop.change("\"predict\": \"last\"", "\"predict\": \"last\", \"lossAt\": \"every\"")
    let recipe = workshop.folder.text("recipe.json").replacing(
      "\"test\": \"test.csv\",", with: validation.isEmpty ? "" : "\"validation\": \"test.csv\",")
    try workshop.folder.write("recipe.json", recipe)
    let outcome = try workshop.train("--quiet")
    #expect(outcome.output.contains(set), "\(outcome.output)")
    #expect(outcome.output.contains(count), "\(outcome.output)")
  }

  @Test func `data may begin with a mark of byte order`() throws {
    try workshop.folder.write("train.csv", "\u{FEFF}" + Workshop.data(sequences: 12, offset: 0))
    let outcome = try workshop.train("--quiet")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("accuracy 1.0000"))
  }

  // MARK: What it refuses

  @Test(arguments: [
    ("\"epochs\": 30", "\"epoch\": 30", "line 20, column 5 (training.epoch)", "unknown key"),
    ("\"epochs\": 30,", "", "line 19, column 15 (training)", "no \"epochs\""),
    ("\"epochs\": 30", "\"epochs\": \"30\"", "(training.epochs)", "whole number"),
    ("\"epochs\": 30", "\"epochs\": 0", "(training.epochs)", "from 1 to"),
    ("\"epochs\": 30", "\"epochs\": 2.5", "(training.epochs)", "found 2.5"),
    ("\"rate\": 0.02", "\"rate\": -1", "(training.schedule.rate)", "above 0"),
    ("\"constant\"", "\"zigzag\"", "(training.schedule.kind)", "\"warm-up-cosine\""),
    ("\"gru\"", "\"tcn\"", "(network.layers[0].kind)", "\"lstm\""),
    ("\"hidden\": 5", "\"size\": 5", "(network.layers[0])", "no \"hidden\""),
    (
      "{ \"kind\": \"dense\" }", "{ \"kind\": \"dense\", \"size\": 7 }", "(network.layers[1])", "2,"
    ),
    ("\"normalise\": true", "\"normalise\": \"yes\"", "(network.normalise)", "true or false"),
    ("\"softmax-cross-entropy\"", "\"mean-squared-error\"", "network.loss", "expected"),
    ("\"kind\": \"frames\"", "\"kind\": \"video\"", "(data.kind)", "\"text\""),
    ("\"name\": \"signs\",", "", "line 1, column 1", "no \"name\""),
    ("\"name\": \"signs\",", "\"name\": \"signs\"", "line 3", "','"),
    ("\"name\": \"signs\",", "\"name\": \"a\", \"name\": \"b\",", "line 2", "again"),
    ("\"label\": \"label\"", "\"label\": \"class\"", "train.csv: line 1", "'class'"),
    ("\"gru\", \"hidden\": 5", "\"embedding\", \"size\": 5", "(network.layers[0])", "index"),
    ("\"seed\": 3", "\"patience\": 3", "training.patience", "validation"),
  ])
  func `a wrong recipe ends with 65, the place and what is expected`(
    old: String, new: String, place: String, expected: String
  ) throws {
    try workshop.change(old, new)
    let before = workshop.folder.names
    let outcome = try workshop.train()
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains(place), "\(outcome.errors)")
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(workshop.folder.names == before)
  }

  @Test(arguments: [
    ("0,up,", "0,sideways,", "test.csv: line 2, column 2", "down, up"),
    ("\n1,down,", "\n1,down,nan,", "line 6, column 5", "expected 4"),
    ("\n2,up,", "\n2,up,NaN,0\n2,up,", "column 3 (x)", "finite"),
    ("\n2,up,", "\n2,up,one,0\n2,up,", "column 3 (x)", "'one'"),
    ("\n2,up,", "\n0,up,1,1\n2,up,", "column 1 (sequence)", "one behind the other"),
    ("sequence,label,x,y", "sequence,label,x,x", "line 1, column 4", "again"),
    ("sequence,label,x,y", "sequence,label,x,z", "line 1", "'y'"),
  ])
  func `wrong data ends with 65, the file, the line and the column`(
    old: String, new: String, place: String, expected: String
  ) throws {
    let data = Workshop.data(sequences: 6, offset: 5)
    let range = try #require(data.range(of: old))
    try workshop.folder.write("test.csv", data.replacingCharacters(in: range, with: new))
    let outcome = try workshop.train()
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("test.csv"))
    #expect(outcome.errors.contains(place), "\(outcome.errors)")
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(workshop.folder.bytes(of: "signs.runnel") == nil)
  }

  @Test func `an empty data file is refused`() throws {
    try workshop.folder.write("train.csv", "sequence,label,x,y\n")
    let outcome = try workshop.train()
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("train.csv: line 2"))
  }

  @Test func `a file that the recipe names and that is not there ends with 66`() throws {
    try workshop.change("\"test.csv\"", "\"nowhere.csv\"")
    let outcome = try workshop.train()
    #expect(outcome.code == 66)
    #expect(outcome.errors.contains("nowhere.csv"))
    #expect(outcome.errors.contains("recipe.json, line 6, data.test"))
    let recipe = try Tool.run("train", workshop.folder.file("no.json"))
    #expect(recipe.code == 66)
  }

  @Test func `a folder that cannot be written to ends with 73, before the work`() throws {
    let outcome = try workshop.train("--output", workshop.folder.file("no/folder/a.runnel"))
    #expect(outcome.code == 73)
    #expect(outcome.errors.contains("no/folder/a.runnel"))
    #expect(!outcome.errors.contains("epoch"))
  }

  @Test(arguments: [false, true])
  func `a run that diverges says what to try, and leaves the old model and the last checkpoint`(
    isLate: Bool
  ) throws {
    try workshop.folder.write("signs.runnel", "the old model")
    try workshop.change(
      "\"kind\": \"constant\", \"rate\": 0.02",
      isLate
        ? "\"kind\": \"step\", \"rate\": 0.02, \"factor\": 1e30, \"epochs\": 10"
        : "\"kind\": \"constant\", \"rate\": 1e30")
    let recipe = workshop.folder.text("recipe.json")
      .replacing("\"label\": \"label\"", with: "\"targets\": [\"y\"], \"features\": [\"x\"]")
      .replacing("softmax-cross-entropy", with: "mean-squared-error")
    try workshop.folder.write("recipe.json", recipe)
    let outcome = try workshop.train()
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("lower learning rate"), "\(outcome.errors)")
    #expect(workshop.folder.text("signs.runnel") == "the old model")
    let kept = "The last good checkpoint is \(workshop.folder.file("signs.checkpoint"))."
    #expect(outcome.errors.contains(isLate ? kept : "There was no checkpoint yet."))
    #expect(workshop.folder.names.contains("signs.checkpoint") == isLate)
  }
}

@Suite struct `Numbers of any size in training` {
  let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.change("\"label\": \"label\"", "\"targets\": [\"y\"], \"features\": [\"x\"]")
    let recipe = workshop.folder.text("recipe.json")
      .replacing("softmax-cross-entropy", with: "mean-squared-error")
      .replacing("0.02", with: "100")
    try workshop.folder.write("recipe.json", recipe)
  }

  /// Frames of a number around `mean`, and what is to be predicted from it, around `target`.
  private func write(mean: Double, target: Double) throws {
    var lines = ["sequence,x,y"]
    for index in 0..<60 {
      let wobble = Double((index * 37) % 23 - 11) / 7
      lines.append("\(index / 6),\(mean + wobble),\(target * (1 + wobble / 10))")
    }
    for name in ["train.csv", "test.csv"] {
      try workshop.folder.write(name, lines.joined(separator: "\n") + "\n")
    }
  }

  @Test func `large targets give a model that proves itself`() throws {
    try write(mean: 0, target: 300_000)
    let outcome = try workshop.train("--quiet")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let golden = try ModelDescription(path: workshop.model).golden
    #expect(golden.tolerance > 1e-5)
    #expect(try Tool.run("verify", workshop.model).code == 0)
  }

  @Test(arguments: [100.0, 3_000, 9_000])
  func `a mean of many deviations gives a model that proves itself`(mean: Double) throws {
    try write(mean: mean, target: 1)
    let outcome = try workshop.train("--quiet")
    #expect(outcome.code == 0, "\(outcome.errors)")
    for level in InstructionLevel.allCases where level <= .best {
      #expect(try Tool.run("verify", workshop.model, "--level", "v\(level.rawValue)").code == 0)
    }
  }

  @Test(arguments: [20_000.0, 1e6, 1e7])
  func `a mean of too many deviations is refused with its column`(mean: Double) throws {
    try write(mean: mean, target: 1)
    let before = workshop.folder.names
    let outcome = try workshop.train("--quiet")
    #expect(outcome.code == 65)
    for part in ["column x", "mean", "deviation", "subtract a constant"] {
      #expect(outcome.errors.contains(part), "\(outcome.errors)")
    }
    #expect(workshop.folder.names == before)
  }
}

@Suite struct `The files of a training run` {
  let workshop: Workshop

  init() throws { workshop = try Workshop() }

  /// Expects a refusal before the work, with all files as they were.
  private func expectRefusal(_ code: Int32, _ text: String, _ arguments: String...) throws {
    let folder = workshop.folder
    let before = folder.names.map { ($0, folder.bytes(of: $0)) }
    let outcome = try Tool.run(["train", folder.file("recipe.json")] + arguments)
    #expect(outcome.code == code, "\(outcome.errors)")
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
    #expect(!outcome.errors.contains("epoch"))
    #expect(folder.names == before.map(\.0))
    for (name, bytes) in before { #expect(folder.bytes(of: name) == bytes, "\(name)") }
  }

  @Test func `cannot be the same, whatever they are called`() throws {
    let folder = workshop.folder
    try folder.write("good.runnel", "the old model")
    let good = folder.file("good.runnel")
    let same = folder.path + "/./good.runnel"
    try expectRefusal(64, "same file", "--output", good, "--checkpoint", same)
    try expectRefusal(64, "same file", "--checkpoint", folder.file("signs.svg"))
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
    try expectRefusal(64, "same file", "--output", good, "--checkpoint", link + "/good.runnel")
  }

  @Test(arguments: ["recipe.json", "train.csv", "test.csv"])
  func `cannot be those that it reads`(name: String) throws {
    let file = workshop.folder.file(name)
    try expectRefusal(64, name, "--output", file)
    try expectRefusal(64, name, "--checkpoint", file)
  }

  @Test(arguments: ["my notes", "", "RUNNEL", "RUNNELCX and more"])
  func `a file that is not a checkpoint is not taken for one`(content: String) throws {
    let notes = try workshop.folder.write("notes.txt", content)
    try expectRefusal(73, "is not a checkpoint", "--checkpoint", notes)
  }

  @Test func `a model that cannot prove itself replaces nothing`() throws {
    let folder = workshop.folder
    // Training goes well; but the frames to prove it by are more than a Float holds, normalised.
    let rows = (0..<40).map {
      "\($0 / 4),\($0 / 4 % 2 == 0 ? "up" : "down"),0.0\($0 % 7),0.0\($0 % 5)"
    }
    try folder.write("train.csv", "sequence,label,x,y\n" + rows.joined(separator: "\n") + "\n")
    try folder.write("test.csv", "sequence,label,x,y\n0,up,3e38,3e38\n")
    try folder.write("signs.runnel", "the old model")
    let outcome = try workshop.train("--quiet")
    #expect(outcome.code == 65, "\(outcome.errors)")
    #expect(folder.text("signs.runnel") == "the old model")
    #expect(folder.names.contains("signs.checkpoint"))
    #expect(!folder.names.contains("signs.svg"))
  }

  @Test func `an old checkpoint is replaced`() throws {
    try workshop.folder.write("signs.checkpoint", "RUNNELCP of another run")
    #expect(try workshop.train("--quiet").code == 0)
    #expect(!workshop.folder.names.contains("signs.checkpoint"))
  }

  @Test func `that cannot be written are noticed before the work`() throws {
    let folder = workshop.folder
    let inner = folder.file("d")
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
    try expectRefusal(64, "empty", "--output", "")
    try expectRefusal(64, "empty", "--checkpoint", "")
    try expectRefusal(73, "directory", "--output", inner)
    try expectRefusal(73, "directory", "--output", inner + "/")
    try expectRefusal(73, "directory", "--checkpoint", inner)
    try expectRefusal(73, "not a regular file", "--output", "/dev/full")
    try expectRefusal(73, "not a regular file", "--checkpoint", "/dev/null")
  }
}

@Suite struct `An interrupted training run` {
  let workshop: Workshop

  init() throws { workshop = try Workshop() }

  @Test func `leaves the old file or the new one, whenever it is killed`() throws {
    #expect(try workshop.train("--quiet", "--seed", "1").code == 0)
    let old = try #require(workshop.folder.bytes(of: "signs.runnel"))
    let other = workshop.folder.file("other.runnel")
    let clock = ContinuousClock()
    let start = clock.now
    #expect(try workshop.train("--quiet", "--seed", "2", "--output", other).code == 0)
    let duration = clock.now - start
    let new = try #require(workshop.folder.bytes(of: "other.runnel"))
    #expect(old != new)

    var sawOld = false
    var sawNew = false
    for moment in 0..<60 where moment < 40 || !sawNew {
      try workshop.folder.write("signs.runnel", old)
      let scratch = TemporaryFolder()
      let process = try Tool.start(
        ["train", workshop.folder.file("recipe.json"), "--quiet", "--seed", "2"], scratch: scratch)
      // Later and later, as the machine may have become slower.
      let share = Double(min(moment, 40)) / 30 * pow(1.2, Double(max(moment - 40, 0)))
      usleep(UInt32(duration / .microseconds(1) * share))
      process.send(SIGKILL)
      _ = try process.wait()
      let left = workshop.folder.bytes(of: "signs.runnel")
      #expect(left == old || left == new, "killed at moment \(moment)")
      sawOld = sawOld || left == old
      sawNew = sawNew || left == new
    }
    // Otherwise the moments were badly chosen.
    #expect(sawOld)
    #expect(sawNew)
  }

  @Test func `says how to resume, and ends with the bits of one that was not interrupted`() throws {
    try workshop.change("\"epochs\": 30", "\"epochs\": 20000")
    let scratch = TemporaryFolder()
    let process = try Tool.start(
      ["train", workshop.folder.file("recipe.json"), "--quiet"], scratch: scratch)
    while process.isRunning, !workshop.folder.names.contains("signs.checkpoint") { usleep(500) }
    process.send(SIGINT)
    #expect(try process.wait() == 130)
    let text = scratch.text("errors")
    #expect(text.contains("--resume"), "\(text)")
    #expect(
      workshop.folder.names == ["recipe.json", "signs.checkpoint", "test.csv", "train.csv"])

    #expect(try workshop.train("--quiet", "--resume").code == 0)
    #expect(
      workshop.folder.names
        == ["recipe.json", "signs.runnel", "signs.svg", "test.csv", "train.csv"])
    let whole = workshop.folder.file("whole.runnel")
    #expect(try workshop.train("--quiet", "--output", whole).code == 0)
    let resumed = workshop.folder.bytes(of: "signs.runnel")
    #expect(workshop.folder.bytes(of: "whole.runnel") == resumed)
  }

  @Test func `cannot be resumed without a checkpoint, or with that of another run`() throws {
    let missing = try workshop.train("--resume")
    #expect(missing.code == 66)
    #expect(missing.errors.contains("signs.checkpoint"))
    try workshop.folder.write("signs.checkpoint", "words")
    let damaged = try workshop.train("--resume")
    #expect(damaged.code == 65)
    #expect(damaged.errors.contains("damaged checkpoint"), "\(damaged.errors)")
  }
}
