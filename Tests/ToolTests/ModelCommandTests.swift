import Runnel
import TestSupport
import Testing

@Suite struct `Commands on a model` {
  let folder = TemporaryFolder()
  let model: String

  init() throws {
    model = folder.file("classifier.runnel")
    try Models.classifier().write(to: model)
  }

  // MARK: info

  @Test func `info shows what goes in, what is computed and what comes out`() throws {
    let outcome = try Tool.run("info", model)
    #expect(outcome.code == 0)
    for part in [
      "classifier", "frame: 3 numbers", "gruResetAfter", "gru0.inputWeights [12, 3]", "softmax",
      "prediction: 3 numbers", "labels: low, mid, high", "parameters  115", "golden      10 frames",
    ] {
      #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
    }
  }

  @Test func `info gives the same as JSON`() throws {
    let object = try Tool.run("info", model, "--json").object()
    #expect(object["name"] as? String == "classifier")
    #expect(object["parameters"] as? Int == 115)
    let size = folder.bytes(of: "classifier.runnel")?.count
    #expect(object["fileBytes"] as? Int == size)
    let loaded = try Model(Models.classifier())
    #expect(object["sessionBytes"] as? Int == loaded.sessionByteCount)
    #expect(object["weightBytes"] as? Int == loaded.weightByteCount)
    let program = try #require((object["programs"] as? [[String: Any]])?.first)
    #expect(program["frameSize"] as? Int == 3)
    #expect(program["predictionSize"] as? Int == 3)
    #expect((object["metadata"] as? [String: [String]])?["features"] == ["a", "b", "c"])
  }

  // MARK: verify

  @Test func `verify passes a model that gives what its file says`() throws {
    let outcome = try Tool.run("verify", model, "--json")
    #expect(outcome.code == 0)
    let object = try outcome.object()
    #expect(object["ok"] as? Bool == true)
    #expect(object["frames"] as? Int == 10)
    #expect(try #require(object["maxDeviation"] as? Double) <= 1e-5)
    #expect(Float(try #require(object["tolerance"] as? Double)) == 1e-5)
    #expect(try Tool.run("verify", model).output.contains("ok, 10 frames"))
  }

  @Test func `verify fails a model that gives something else`() throws {
    var description = try Models.classifier()
    description.golden.runs[0].predictions[4] += 0.01
    let path = folder.file("wrong.runnel")
    try description.write(to: path)
    let outcome = try Tool.run("verify", path, "--json")
    #expect(outcome.code == 1)
    let object = try outcome.object()
    #expect(object["ok"] as? Bool == false)
    #expect(abs(try #require(object["maxDeviation"] as? Double) - 0.01) < 1e-4)
    #expect(outcome.errors.contains("deviate"))
  }

  // MARK: Files that are no models

  @Test(arguments: ["info", "verify", "run", "sample", "bench", "plan"])
  func `a damaged file ends with 65, the reason and the byte`(command: String) throws {
    var bytes = try #require(folder.bytes(of: "classifier.runnel"))
    bytes[bytes.count / 2] ^= 4
    let path = folder.file("damaged.runnel")
    try folder.write("damaged.runnel", bytes)
    let outcome = try Tool.run(command, path)
    #expect(outcome.code == 65)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("damaged.runnel: byte "))
    #expect(outcome.errors.contains("damaged (its checksum is wrong)"))
  }

  @Test func `a file of something else is called so`() throws {
    let path = try folder.write("words.runnel", String(repeating: "These are words. ", count: 20))
    let outcome = try Tool.run("info", path)
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("byte 0: this is not a .runnel file"))
  }

  @Test func `a file that was cut is called so`() throws {
    let bytes = try #require(folder.bytes(of: "classifier.runnel"))
    try folder.write("cut.runnel", Array(bytes.dropLast(9)))
    let outcome = try Tool.run("verify", folder.file("cut.runnel"))
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("ends too early"))
  }

  @Test func `info shows characters that would change the terminal as escapes`() throws {
    var description = try Models.classifier()
    description.metadata.name = "red\u{1B}[31m"
    description.metadata.labels = ["a\u{9B}31m", "b\u{202E}", "c\nd"]
    let path = folder.file("hostile.runnel")
    try description.write(to: path)
    let outcome = try Tool.run("info", path)
    #expect(outcome.code == 0)
    for scalar in outcome.output.unicodeScalars where scalar != "\n" {
      #expect(0x20..<0x7F ~= scalar.value, "\(scalar.debugDescription)")
    }
    #expect(outcome.output.contains("red\\u{1B}[31m"))
    #expect(outcome.output.contains("c\\nd"))
  }

  // MARK: sample

  @Test(arguments: [true, false])
  func `a model of characters writes on from its prompt`(oneHot: Bool) throws {
    let path = folder.file("letters.runnel")
    try Models.letters(oneHot: oneHot).write(to: path)
    let arguments = ["sample", path, "--prompt", "ab", "--length", "30"]
    let outcome = try Tool.run(arguments + ["--seed", "5"])
    #expect(outcome.code == 0)
    #expect(outcome.output.hasPrefix("ab"))
    #expect(outcome.output.count == 33)
    #expect(outcome.output.dropLast().allSatisfy { "abc".contains($0) })
    #expect(try Tool.run(arguments + ["--seed", "5"]).output == outcome.output)
    #expect(try Tool.run(arguments + ["--seed", "6"]).output != outcome.output)
  }

  @Test func `at temperature 0 the most probable character is taken`() throws {
    let path = folder.file("letters.runnel")
    let description = Models.letters(oneHot: false)
    try description.write(to: path)
    let outcome = try Tool.run(
      "sample", path, "--prompt", "a", "--length", "6", "--temperature", "0")
    var indices: [Float] = [0]
    for _ in 0..<6 {
      let last = try Models.predictions(description, indices).suffix(3)
      indices.append(Float(last.firstIndex(of: last.max()!)! - last.startIndex))
    }
    #expect(outcome.output == String(indices.map { Array("abc")[Int($0)] }) + "\n")
  }

  @Test func `a prompt with a strange character is refused`() throws {
    let path = folder.file("letters.runnel")
    try Models.letters(oneHot: false).write(to: path)
    let outcome = try Tool.run("sample", path, "--prompt", "xyz")
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("\"x\""))
  }

  @Test func `a model whose numbers grow too large ends with 65 and a sentence`() throws {
    var description = Models.letters(oneHot: false)
    description.tensors[4].storage = .float32([Float](repeating: 3e38, count: 9))
    description.tensors[2].storage = .float32([Float](repeating: 3e38, count: 9))
    description.tensors[0].storage = .float32([Float](repeating: 1, count: 9))
    let path = folder.file("large.runnel")
    try description.write(to: path)
    let outcome = try Tool.run("sample", path, "--prompt", "a", "--length", "30")
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("the model: found numbers whose result a Float cannot hold"))
  }

  @Test func `a model that is not of characters cannot write`() throws {
    let outcome = try Tool.run("sample", model)
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("characters"))
  }
}
