import Foundation
import Runnel
import TestSupport
import Testing

@Suite struct `Smaller weights with quantize` {
  let folder = TemporaryFolder()
  let model: String
  /// Large enough for its weights to be most of its file.
  let source: ModelDescription

  init() throws {
    var description = RandomModels.stack(
      .gruResetAfter, inputSize: 3, hiddenSize: 40, layers: 2, headSize: 5, seed: 7
    ).withGoldenFrames(30, seed: 8)
    description.metadata.name = "source"
    description.metadata.entries["features"] = ["a", "b", "c"]
    source = description
    model = folder.file("source.runnel")
    try description.write(to: model)
  }

  /// Runs the command on the model.
  private func quantize(_ arguments: String...) throws -> Tool.Outcome {
    try Tool.run(["quantize", model] + arguments, input: "")
  }

  private func description(_ name: String) throws -> ModelDescription {
    try #require(folder.bytes(of: name)).decoded()
  }

  /// So many frames as CSV.
  private func lines(_ count: Int) -> String {
    (0..<count).map { "\(Double($0 % 7) / 7),\(Double($0 % 5) / 5 - 0.5),0.25\n" }.joined()
  }

  // MARK: The file

  @Test(arguments: [("int8", 0.35, 0.05), ("bf16", 0.54, 0.02), ("f16", 0.54, 0.002)])
  func `the matrices of cells and dense layers are stored in the type`(
    type: String, size: Double, deviation: Double
  ) throws {
    let outcome = try quantize("--to", type, "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let object = try outcome.object()
    #expect(object["to"] as? String == type)
    #expect(object["frames"] as? Int == 30)
    #expect(object["decisions"] as? Int == 30)
    #expect(object["source"] as? String == "golden frames")
    let path = folder.file("source-\(type).runnel")
    #expect(object["written"] as? String == path)
    let before = try #require(object["before"] as? [String: Any])
    let after = try #require(object["after"] as? [String: Any])
    #expect(before["fileBytes"] as? Int == folder.bytes(of: "source.runnel")?.count)
    #expect(after["fileBytes"] as? Int == folder.bytes(of: "source-\(type).runnel")?.count)
    let ratio =
      Double(try #require(after["fileBytes"] as? Int))
      / Double(try #require(before["fileBytes"] as? Int))
    #expect(ratio < size)
    for cost in [before, after] { #expect(try #require(cost["medianNs"] as? Double) > 0) }
    for kind in ["outputs", "states"] {
      let found = try #require(object[kind] as? [String: Any])
      let largest = try #require(found["largest"] as? Double)
      #expect(largest > 0 && largest < deviation)
      #expect(try #require(found["mean"] as? Double) < largest)
      #expect(1...30 ~= (try #require(found["frame"] as? Int)))
    }
    let converted = try description("source-\(type).runnel")
    for (old, new) in zip(source.tensors, converted.tensors) {
      let isStored =
        switch new.storage {
        case .float32: old.shape.count == 1
        case .float16: type == "f16" && old.shape.count == 2
        case .bfloat16: type == "bf16" && old.shape.count == 2
        case .int8: type == "int8" && old.shape.count == 2
        }
      #expect(isStored, "\(new.name)")
    }
    #expect(converted.metadata.name == "source")
    #expect(converted.metadata.provenance.last?.contains("\(type) by runnel") == true)
    let verified = try Tool.run("verify", path)
    #expect(verified.code == 0)
    #expect(verified.output.contains("ok, 30 frames"))
  }

  @Test func `the deviations are those of the reference`() throws {
    let object = try quantize("--to", "int8", "--json").object()
    // The runtime's and the reference's predictions for the golden frames, compared here.
    let converted = try description("source-int8.runnel")
    let found = try Models.predictions(converted, source.golden.runs[0].frames)
    var reference = ReferenceInterpreter(source)
    let expected = reference.run(frames: source.golden.runs[0].frames)
    let differences = zip(found, expected).map { abs(Double($0) - $1) }
    let outputs = try #require(object["outputs"] as? [String: Any])
    let largest = try #require(outputs["largest"] as? Double)
    #expect(abs(largest - differences.max()!) < 1e-15)
    let mean = differences.reduce(0, +) / Double(differences.count)
    #expect(abs(try #require(outputs["mean"] as? Double) - mean) < 1e-12)
    let place = try #require(differences.firstIndex(of: differences.max()!))
    #expect(outputs["frame"] as? Int == place / 5 + 1)
  }

  @Test func `the report says the same in words`() throws {
    let outcome = try quantize("--to", "int8", "--output", folder.file("small.runnel"))
    #expect(outcome.code == 0)
    for part in [
      "f32 to int8, 16-bit activations", "before           after", "deviation", "outputs",
      "states", "of 30 decisions flip, in 30 frames (golden frames)",
      "written: \(folder.file("small.runnel"))",
    ] {
      #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
    }
    #expect(folder.names == ["small.runnel", "source.runnel"])
  }

  @Test func `weights that stay as they are deviate by rounding only`() throws {
    let object = try quantize("--to", "f32", "--json").object()
    #expect(object["flips"] as? Int == 0)
    let outputs = try #require(object["outputs"] as? [String: Any])
    #expect(try #require(outputs["largest"] as? Double) < 1e-5)
  }

  // MARK: Decisions

  /// A model whose two outputs are all but the same, so that rounding turns decisions.
  private func undecided() throws -> String {
    var maker = ModelMaker(seed: 3)
    let frame = maker.input("frame", size: 8)
    let base = (0..<8).map { Float($0) * 0.37 + 0.1 }
    let weights = base + base.enumerated().map { $1 + 1e-4 * Float($0 % 3 - 1) }
    maker.model.tensors = [
      TensorDescription(name: "weights", shape: [2, 8], values: weights),
      TensorDescription(name: "bias", shape: [2], values: [0, 0]),
    ]
    let slot = maker.add(.dense(input: frame, weights: 0, bias: 1))
    let path = folder.file("undecided.runnel")
    try maker.finish(outputs: [OutputPort(name: "prediction", slot: slot)]).write(to: path)
    return path
  }

  @Test func `decisions that flip are counted, and can be bounded`() throws {
    let path = try undecided()
    let output = folder.file("out.runnel")
    let object = try Tool.run(
      "quantize", path, "--to", "int8", "--count", "2000", "--output", output, "--json"
    ).object()
    let flips = try #require(object["flips"] as? Int)
    #expect(flips > 0 && flips < 2000)
    // What flips was almost even.
    let margin = try #require(object["flippedMargin"] as? Double)
    #expect(margin > 0 && margin < 0.1)
    #expect(object["decisions"] as? Int == 2000)
    // Without a cell there is no state to compare.
    #expect(object["states"] is NSNull)
    let before = folder.bytes(of: "out.runnel")
    let refused = try Tool.run(
      "quantize", path, "--to", "f16", "--count", "2000", "--max-flips", "0", "--output", output,
      "--json")
    #expect(refused.code == 1)
    #expect(refused.errors.contains("out.runnel is not written: "))
    #expect(refused.errors.contains("decisions flip, more than 0"))
    #expect(try refused.object()["written"] is NSNull)
    #expect(folder.bytes(of: "out.runnel") == before)
    let passed = try Tool.run(
      "quantize", path, "--to", "int8", "--count", "2000", "--max-flips", "\(flips)", "--output",
      output)
    #expect(passed.code == 0)
  }

  /// A model of one number that decides otherwise in bfloat16 after a 1, and the same after a 0.
  private func turning() throws -> String {
    var maker = ModelMaker(seed: 3)
    let frame = maker.input("frame", size: 1)
    maker.model.tensors = [
      TensorDescription(name: "weights", shape: [2, 1], values: [1 + 0x1p-10, 1]),
      TensorDescription(name: "bias", shape: [2], values: [0, 0x1p-11]),
    ]
    let slot = maker.add(.dense(input: frame, weights: 0, bias: 1))
    let path = folder.file("turning.runnel")
    try maker.finish(outputs: [OutputPort(name: "prediction", slot: slot)]).write(to: path)
    return path
  }

  @Test(arguments: [
    // The ends of two streams flip, or what comes before them.
    ("0 0 1,0 1", [], 2, 2, 5, 2), ("0 1 0,1 1 0 0", [], 2, 0, 7, 3),
    // A stream that is cut, and one that ends with the frames.
    ("0 1 0,0 1 0", ["--count", "5"], 1, 0, 5, 2), ("0 0 1,0 1", ["--count", "8"], 3, 3, 8, 3),
    ("0 0 1,0 1", ["--count", "9"], 3, 3, 9, 3),
    // One stream goes on from its end to its start.
    ("0 1", [], 1, 1, 2, 1), ("0 1", ["--count", "6"], 1, 1, 6, 3),
  ])
  func `decisions after the last frame of a stream can be those that count`(
    streams: String, options: [String], ends: Int, flips: Int, frames: Int, allFlips: Int
  ) throws {
    let path = try folder.write(
      "frames.csv",
      streams.replacing(" ", with: "\n").replacing(",", with: "\n\n") + "\n")
    let command =
      ["quantize", try turning(), "--to", "bf16", "--frames", path] + options
    let every = try Tool.run(command + ["--json"], input: "").object()
    #expect(every["decide"] as? String == "every")
    #expect(every["decisions"] as? Int == frames)
    #expect(every["flips"] as? Int == allFlips)
    let last = try Tool.run(command + ["--decide", "last", "--json"], input: "").object()
    #expect(last["decide"] as? String == "last")
    #expect(last["frames"] as? Int == frames)
    #expect(last["decisions"] as? Int == ends)
    #expect(last["flips"] as? Int == flips)
    #expect(last["flippedMargin"] as? Double == (flips > 0 ? 0x1p-11 : nil))
    // The deviations are those of all frames.
    #expect(last["outputs"] as? [String: Double] == every["outputs"] as? [String: Double])
    let bounded = try Tool.run(command + ["--decide", "last", "--max-flips", "0"], input: "")
    #expect(bounded.code == (flips > 0 ? 1 : 0))
    #expect(
      bounded.output.contains(
        "\n\(flips) of \(ends) decisions after the last frame of a stream flip, in \(frames) frames"
      ))
  }

  @Test func `golden frames end with their runs`() throws {
    let last = try quantize("--to", "int8", "--decide", "last", "--json").object()
    #expect(last["frames"] as? Int == 30)
    #expect(last["decisions"] as? Int == 1)
  }

  @Test func `without the end of a stream no decision can be its last`() throws {
    let path = try folder.write("frames.csv", lines(4) + "\n" + lines(4))
    let single = try folder.write("single.csv", lines(4))
    for (options, reason) in [
      (["--count", "1000"], "none ends in 1,000 frames (random frames, as the golden frames)"),
      (["--frames", path, "--count", "3"], "none ends in 3 frames (\(path))"),
      (["--frames", single, "--count", "9"], "none ends in 9 frames (\(single))"),
    ] {
      let outcome = try Tool.run(
        ["quantize", model, "--to", "int8", "--decide", "last"] + options, input: "")
      #expect(outcome.code == 64)
      #expect(outcome.output.isEmpty)
      #expect(
        outcome.errors.contains("'--decide last' counts the ends of streams, and " + reason),
        "\(outcome.errors)")
    }
    #expect(folder.names == ["frames.csv", "single.csv", "source.runnel"])
  }

  // MARK: Bounds

  @Test func `nothing is written when the bound of the deviation is passed`() throws {
    let outcome = try quantize("--to", "int8", "--max-deviation", "1e-6")
    #expect(outcome.code == 1)
    #expect(outcome.output.contains("deviation"))
    #expect(outcome.output.contains("not written"))
    #expect(outcome.errors.contains("source-int8.runnel is not written: an output deviates by "))
    #expect(outcome.errors.contains("more than 1e-06"))
    #expect(folder.names == ["source.runnel"])
    #expect(try quantize("--to", "int8", "--max-deviation", "0.5", "--max-flips", "30").code == 0)
    #expect(folder.names == ["source-int8.runnel", "source.runnel"])
  }

  @Test func `the source is replaced only when that is wanted`() throws {
    let before = folder.bytes(of: "source.runnel")
    for path in [model, "\(folder.path)/./source.runnel"] {
      let outcome = try quantize("--to", "int8", "--output", path)
      #expect(outcome.code == 64)
      #expect(outcome.errors.contains("is the model that is read"))
      #expect(outcome.errors.contains("--overwrite"))
    }
    #expect(folder.bytes(of: "source.runnel") == before)
    #expect(try quantize("--to", "int8", "--output", model, "--overwrite").code == 0)
    #expect(folder.names == ["source.runnel"])
    #expect(try #require(folder.bytes(of: "source.runnel")).count < before!.count / 2)
  }

  // MARK: Frames

  @Test func `frames come from a file, again and again`() throws {
    let path = try folder.write("frames.csv", "c,a,b\n" + lines(9))
    let once = try quantize("--to", "int8", "--frames", path, "--json").object()
    #expect(once["frames"] as? Int == 9)
    #expect(once["source"] as? String == path)
    let long = try quantize("--to", "int8", "--frames", path, "--count", "500", "--json").object()
    #expect(long["frames"] as? Int == 500)
    let part = try quantize("--to", "int8", "--frames", path, "--count", "4", "--json").object()
    #expect(part["frames"] as? Int == 4)
  }

  @Test func `an empty line starts a new stream`() throws {
    let one = lines(6)
    let streams = try folder.write("streams.csv", one + "\n\n" + one + "\n")
    let single = try folder.write("single.csv", one)
    let all = try quantize("--to", "int8", "--frames", streams, "--json").object()
    let first = try quantize("--to", "int8", "--frames", single, "--json").object()
    let joined = try quantize("--to", "int8", "--frames", single, "--count", "12", "--json")
      .object()
    #expect(all["frames"] as? Int == 12)
    func mean(_ object: [String: Any]) throws -> Double {
      try #require((object["outputs"] as? [String: Any])?["mean"] as? Double)
    }
    // The same stream twice deviates as once; a stream that goes on does not.
    #expect(abs(try mean(all) - mean(first)) < 1e-15)
    #expect(abs(try mean(joined) - mean(first)) > 1e-9)
  }

  @Test func `a column can number the streams, and other columns are passed over`() throws {
    let rows = lines(12).split(separator: "\n")
    let table = try folder.write(
      "table.csv",
      "label,b,sequence,a,c\n"
        + rows.enumerated().map { index, row in
          let cells = row.split(separator: ",")
          return "walking,\(cells[1]),\(index / 5),\(cells[0]),\(cells[2])\n"
        }.joined())
    let blocks = stride(from: 0, to: 12, by: 5).map { start in
      rows[start..<min(12, start + 5)].joined(separator: "\n")
    }
    let plain = try folder.write("plain.csv", blocks.joined(separator: "\n\n"))
    func outputs(_ arguments: String...) throws -> [String: Double]? {
      try Tool.run(["quantize", model, "--to", "int8", "--json"] + arguments, input: "").object()[
        "outputs"] as? [String: Double]
    }
    let expected = try #require(try outputs("--frames", plain))
    #expect(try outputs("--frames", table, "--sequence", "sequence") == expected)
    // Without the option the file is one stream.
    #expect(try outputs("--frames", table) != expected)
    let missing = try quantize("--to", "int8", "--frames", table, "--sequence", "take")
    #expect(missing.code == 65)
    #expect(missing.errors.contains("expected one called take"))
    let unnamed = try quantize("--to", "int8", "--frames", plain, "--sequence", "take")
    #expect(unnamed.code == 65)
    #expect(unnamed.errors.contains("found no line of names"))
    let short = try folder.write("short.csv", "a,b,c,sequence\n1,2,3\n")
    let outcome = try quantize("--to", "int8", "--frames", short)
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("expected 4, the columns of the first line"))
  }

  // MARK: Calibration

  /// Smooth frames, as sensors give them.
  private func waves(_ count: Int, phase: Double) -> String {
    (0..<count).map { frame in
      let t = Double(frame) * 0.21 + phase
      return "\(sin(t)),\(cos(1.7 * t)),\(sin(0.6 * t) * cos(t))\n"
    }.joined()
  }

  @Test(arguments: [Cell.lstm, .gruResetAfter, .gruResetBefore, .rnnTanh])
  func `errors of weights that are rounded together are smaller on other frames, too`(
    cell: Cell
  ) throws {
    let path = folder.file("cell.runnel")
    try RandomModels.stack(
      cell, inputSize: 3, hiddenSize: 32, layers: 2, headSize: 3, seed: 11
    ).withGoldenFrames(10, seed: 12).write(to: path)
    let frames = try folder.write("frames.csv", waves(600, phase: 0))
    let others = try folder.write("others.csv", waves(600, phase: 100))
    func means(_ arguments: String...) throws -> [Double] {
      let outcome = try Tool.run(
        ["quantize", path, "--to", "int8", "--frames", others, "--json"] + arguments, input: "")
      #expect(outcome.code == 0, "\(outcome.errors)")
      let object = try outcome.object()
      return try ["outputs", "states"].map { kind in
        try #require((object[kind] as? [String: Any])?["mean"] as? Double)
      }
    }
    let plain = try means()
    let calibrated = try means("--calibrate", frames)
    for (found, before) in zip(calibrated, plain) {
      #expect(found < (cell == .gruResetBefore ? 1.01 : 0.6) * before)
    }
    #expect(try Tool.run("verify", folder.file("cell-int8.runnel")).code == 0)
  }

  @Test func `few inputs come twice, and a dense layer of few rows stays`() throws {
    let frames = try folder.write("frames.csv", waves(50, phase: 0))
    let object = try quantize("--to", "int8", "--calibrate", frames, "--json").object()
    #expect(object["calibration"] as? String == frames)
    let converted = try description("source-int8.runnel")
    let shapes = converted.tensors.filter { $0.shape.count == 2 }.map(\.shape)
    // Three inputs beside forty units, forty inputs of the second cell, five outputs.
    #expect(shapes == [[120, 6], [120, 40], [120, 40], [120, 40], [5, 40]])
    #expect(
      converted.tensors.filter { $0.shape.count == 2 }.map(\.type)
        == [.int8, .int8, .int8, .int8, .float32])
    #expect(
      converted.programs[0].operations.map(\.code)
        == [.affine, .concatenate] + source.programs[0].operations.map(\.code))
    #expect(converted.metadata.provenance.last?.contains("rounded over 50 frames") == true)
  }

  @Test func `every operation, input and program survives a calibration`() throws {
    let path = folder.file("every.runnel")
    let every = RandomModels.everyOperation(seed: 4).withGoldenFrames(20, seed: 5)
    try every.write(to: path)
    let frames = every.golden.runs.first { $0.program == 0 }!.frames
    let file = try folder.write(
      "every.f32", frames.flatMap { HostileFile.littleEndian($0.bitPattern) })
    let outcome = try Tool.run(
      "quantize", path, "--to", "int8", "--calibrate", file, "--input-format", "f32", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try Tool.run("verify", folder.file("every-int8.runnel")).code == 0)
  }

  @Test func `frames come as 32-bit floats`() throws {
    let numbers: [Float] = [0.5, -1, 2, 0.25, 0, 1]
    let path = try folder.write(
      "frames.f32", numbers.flatMap { HostileFile.littleEndian($0.bitPattern) })
    let raw = try quantize("--to", "int8", "--frames", path, "--input-format", "f32", "--json")
    let text = try folder.write("frames.csv", "0.5,-1,2\n0.25,0,1\n")
    let csv = try quantize("--to", "int8", "--frames", text, "--json")
    #expect(try raw.object()["frames"] as? Int == 2)
    #expect(
      try raw.object()["outputs"] as? [String: Double]
        == csv.object()["outputs"] as? [String: Double])
    try folder.write("cut.f32", [UInt8](repeating: 0, count: 25))
    let cut = try quantize(
      "--to", "int8", "--frames", folder.file("cut.f32"), "--input-format", "f32")
    #expect(cut.code == 65)
    #expect(cut.errors.contains("found 25 bytes, expected a multiple of 12"))
  }

  @Test func `hours of frames are counted with the rate`() throws {
    let outcome = try quantize("--to", "bf16", "--hours", "0.01", "--rate", "50", "--json")
    let object = try outcome.object()
    #expect(object["frames"] as? Int == 1800)
    #expect(object["source"] as? String == "random frames, as the golden frames")
    #expect(try quantize("--to", "bf16", "--hours", "1").errors.contains("give --rate HZ"))
    var rated = source
    rated.metadata.frameRate = 100
    rated.golden = GoldenFrames()
    let path = folder.file("rated.runnel")
    try rated.write(to: path)
    let own = try Tool.run("quantize", path, "--to", "bf16", "--hours", "0.001", "--json").object()
    #expect(own["frames"] as? Int == 360)
    #expect(own["source"] as? String == "random frames, mean 0, deviation 1")
  }

  @Test func `random frames are those of their seed`() throws {
    func outputs(_ seed: String) throws -> [String: Double]? {
      try quantize("--to", "int8", "--count", "40", "--seed", seed, "--json").object()["outputs"]
        as? [String: Double]
    }
    let first = try #require(try outputs("1"))
    #expect(try outputs("1") == first)
    #expect(try outputs("2") != first)
  }

  @Test func `every operation, input and program is streamed`() throws {
    let path = folder.file("every.runnel")
    try RandomModels.everyOperation(seed: 4).withGoldenFrames(20, seed: 5).write(to: path)
    let golden = try Tool.run("quantize", path, "--to", "int8", "--json")
    #expect(golden.code == 0, "\(golden.errors)")
    let object = try golden.object()
    // Nine outputs of the first program and one of the second, twenty frames each.
    #expect(object["frames"] as? Int == 40)
    #expect(object["decisions"] as? Int == 200)
    let random = try Tool.run(
      "quantize", path, "--to", "f16", "--count", "300", "--program", "decode", "--json")
    #expect(random.code == 0, "\(random.errors)")
    #expect(try random.object()["decisions"] as? Int == 300)
    let first = try Tool.run("quantize", path, "--to", "f16", "--count", "300", "--json")
    #expect(try first.object()["decisions"] as? Int == 2700)
  }

  // MARK: What is refused

  @Test(arguments: [
    ("frames.csv", "1,2\n", "found 2 columns, expected 3"),
    ("frames.csv", "1,2,3\n4,x,6\n", "line 2, column 2 (b): found 'x'"),
    ("frames.csv", "1,2,inf\n", "column 3 (c)"),
    ("frames.csv", "", "found no frames"),
    ("frames.csv", "a,b,c\n", "found no frames"),
    ("frames.csv", "a,b,d\n1,2,3\n", "found 3 columns, a, b, d"),
  ])
  func `a file that does not fit is refused, and nothing is written`(
    name: String, text: String, reason: String
  ) throws {
    let path = try folder.write(name, text)
    let outcome = try quantize("--to", "int8", "--frames", path)
    #expect(outcome.code == 65)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(folder.names == [name, "source.runnel"])
  }

  @Test func `a frame that the model refuses is named`() throws {
    let numbers: [Float] = [0, 0, 0, 0, .nan, 0]
    let path = try folder.write(
      "frames.f32", numbers.flatMap { HostileFile.littleEndian($0.bitPattern) })
    let outcome = try quantize("--to", "int8", "--frames", path, "--input-format", "f32")
    #expect(outcome.code == 65)
    #expect(outcome.errors.contains("frames.f32: column 2 (frame 2): found a number that is"))
    #expect(folder.names == ["frames.f32", "source.runnel"])
  }

  @Test(arguments: [
    ([], "--to is missing"), (["--to", "int4"], "one of f32, f16, bf16, int8"),
    (["--to", "bf16", "--activation-bits", "8"], "goes with '--to int8'"),
    (["--to", "int8", "--activation-bits", "4"], "one of 16, 8"),
    (["--to", "int8", "--hours", "1", "--count", "1"], "not both"),
    (["--to", "int8", "--hours", "-1"], "hours above 0"),
    (["--to", "int8", "--rate", "10"], "'--rate' goes with '--hours'"),
    (["--to", "int8", "--input-format", "csv"], "goes with '--frames' or '--calibrate'"),
    (["--to", "int8", "--sequence", "s"], "goes with '--frames' or '--calibrate'"),
    (["--to", "bf16", "--calibrate", "f.csv"], "goes with '--to int8'"),
    (
      ["--to", "int8", "--frames", "f", "--sequence", "s", "--input-format", "f32"],
      "goes with '--input-format csv'"
    ),
    (["--to", "int8", "--max-deviation", "nan"], "a number from 0"),
    (["--to", "int8", "--max-flips", "-1"], "a whole number from 0"),
    (["--to", "int8", "--decide", "first"], "one of every, last"),
    (["--to", "int8", "--output", ""], "name of the file to write is empty"),
    (["--to", "int8", "--program", "fly"], "one of step, or a number"),
  ])
  func `a wrong option is refused`(options: [String], reason: String) throws {
    let outcome = try Tool.run(["quantize", model] + options, input: "")
    #expect(outcome.code == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(folder.names == ["source.runnel"])
  }

  @Test func `files that are not there or cannot be written are named`() throws {
    let missing = try Tool.run("quantize", folder.file("none.runnel"), "--to", "int8")
    #expect(missing.code == 66)
    #expect(missing.errors.contains("none.runnel: cannot read"))
    let frames = try quantize("--to", "int8", "--frames", folder.file("none.csv"))
    #expect(frames.code == 66)
    #expect(frames.errors.contains("none.csv: cannot read"))
    let output = try quantize("--to", "int8", "--output", folder.file("no/folder.runnel"))
    #expect(output.code == 73)
    #expect(output.errors.contains("no/folder.runnel: cannot write"))
    #expect(folder.names == ["source.runnel"])
  }
}
