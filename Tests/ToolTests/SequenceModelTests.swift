import Runnel
import TestSupport
import Testing

/// The tool with models that do not answer frame by frame.
@Suite struct SequenceModelTests {
  let folder = TemporaryFolder()
  let both: ModelDescription
  let bothPath: String
  let third: ModelDescription
  let thirdPath: String

  init() throws {
    both = RandomModels.bothDirections(inputSize: 2, hiddenSize: 3, seed: 1)
      .withGoldenFrames(5, seed: 2)
    third = RandomModels.everyThirdFrame(inputSize: 2, hiddenSize: 3, seed: 1)
      .withGoldenFrames(5, seed: 2)
    bothPath = folder.file("both.runnel")
    thirdPath = folder.file("third.runnel")
    try both.write(to: bothPath)
    try third.write(to: thirdPath)
  }

  private func text(_ frames: [Float]) -> String {
    stride(from: 0, to: frames.count, by: 2).map { "\(frames[$0]),\(frames[$0 + 1])\n" }.joined()
  }

  private func lines(_ predictions: [Float]) -> [String] {
    stride(from: 0, to: predictions.count, by: 6).map {
      predictions[$0..<$0 + 6].map { "\($0)" }.joined(separator: ",")
    }
  }

  @Test func `a frame without a prediction is answered by an empty line`() throws {
    let frames = RandomModels.frames(7, of: third.programs[0], seed: 3)
    let answers = lines(try Model(third).run([frames])[0])
    let csv = try Tool.run("run", thirdPath, input: text(frames))
    #expect(csv.code == 0, "\(csv.errors)")
    #expect(csv.lines == ["", answers[0], "", "", answers[1], "", ""])
    let json = try Tool.run(
      ["run", thirdPath, "--output-format", "jsonl"], input: text(frames))
    #expect(json.lines[3] == "{\"frame\":4,\"outputs\":null}")
    #expect(json.lines[4].hasPrefix("{\"frame\":5,\"outputs\":{\"second\":["))
    #expect(try Tool.run("verify", thirdPath).code == 0)
  }

  @Test func `whole sequences are answered at their end`() throws {
    let sequences = [5, 1, 3].map {
      RandomModels.frames($0, of: both.programs[0], seed: UInt64($0))
    }
    let answers = try Model(both).run(sequences).map(lines)
    for (sequence, answers) in zip(sequences, answers) {
      #expect(try Tool.run("run", bothPath, input: text(sequence)).lines == answers)
    }
    let input = sequences.map(text).joined(separator: "\n")
    let resets = try Tool.run(["run", bothPath, "--reset-on-blank-line"], input: input)
    #expect(resets.lines == Array(answers.joined(separator: [""])))
    let bytes = sequences[0].flatMap { HostileFile.littleEndian($0.bitPattern) }
    let raw = try Tool.run(["run", bothPath, "--input-format", "f32"], input: bytes)
    #expect(raw.lines == answers[0])
    #expect(try Tool.run("verify", bothPath).code == 0)
    #expect(try Tool.run("info", bothPath).output.contains("runs over whole sequences"))
    #expect(try Tool.run("info", thirdPath).output.contains("answers some of the frames only"))
  }

  @Test func `a bad frame of a sequence is named by its line`() throws {
    let outcome = try Tool.run(
      ["run", bothPath, "--reset-on-blank-line"], input: "1,2\n\n1,2\n3,4\n1e39,2\n")
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("line 5, column 1"))
    #expect(outcome.lines.count == 2)
  }

  @Test(arguments: [
    (["run", "--skip-bad"], 64), (["bench"], 65), (["plan", "--rate", "10"], 65),
    (["quantize", "--to", "int8"], 65),
  ])
  func `commands that step say what they expected`(arguments: [String], code: Int) throws {
    let outcome = try Tool.run([arguments[0], bothPath] + arguments.dropFirst())
    #expect(Int(outcome.code) == code)
    #expect(outcome.errors.contains("whole sequences"), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func `a model that does not answer every frame is measured and made smaller`() throws {
    #expect(try Tool.run("bench", thirdPath, "--frames", "300").code == 0)
    let outcome = try Tool.run("quantize", thirdPath, "--to", "int8", "--count", "90", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    // Two outputs of several numbers, each third frame.
    #expect(try outcome.object()["decisions"] as? Int == 60)
    #expect(try Tool.run("verify", folder.file("third-int8.runnel")).code == 0)
  }
}
