import Foundation
import Runnel
import TestSupport
import Testing

@Suite struct `Measuring with bench` {
  let folder = TemporaryFolder()
  let model: String

  init() throws {
    model = folder.file("classifier.runnel")
    try Models.classifier().write(to: model)
  }

  /// The arguments of a small cell.
  private static func cell(_ arguments: String...) -> [String] {
    ["bench", "--cell", "lstm", "--input", "2", "--hidden", "5", "--frames", "1000"] + arguments
  }

  @Test(arguments: ["lstm", "gru", "gru-reset-before", "rnn"])
  func `a synthetic cell is measured`(cell: String) throws {
    let outcome = try Tool.run(
      "bench", "--cell", cell, "--input", "2", "--hidden", "5", "--frames", "1000", "--json")
    #expect(outcome.code == 0)
    let object = try outcome.object()
    #expect(object["cell"] as? String == cell)
    #expect(object["input"] as? Int == 2)
    #expect(object["hidden"] as? Int == 5)
    #expect(object["weights"] as? String == "f32")
    #expect(object["accuracy"] as? String == "exact")
    #expect(object["streams"] as? Int == 1)
    #expect(object["threads"] as? Int == 1)
    #expect(object["sequence"] as? Int == 1)
    #expect(object["level"] as? String == "v\(InstructionLevel.best.rawValue)")
    #expect(object["frames"] as? Int == 1000)
    let names = ["p50Ns", "p99Ns", "p999Ns", "p9999Ns", "maxNs"]
    for times in [object, try #require(object["control"] as? [String: Any])] {
      let tail = names.compactMap { times[$0] as? Double }
      #expect(tail.count == names.count)
      #expect(tail == tail.sorted())
      #expect(try #require(tail.first) > 0)
    }
  }

  @Test func `throughput follows from the median`() throws {
    let object = try Tool.run(Self.cell("--json"), input: "").object()
    func number(_ name: String) throws -> Double { try #require(object[name] as? Double) }
    let median = try number("medianNs")
    #expect(median > 0)
    #expect(abs(try number("framesPerSecond") * median - 1e9) < 1)
    // Four gates of 5 units, each with 2 inputs and 5 states.
    #expect(abs(try number("gflops") * median - 2 * 4 * 5 * 7) < 1e-6)
    let bytes = try number("weightBytes")
    #expect(bytes >= 4 * 4 * 5 * 8)
    #expect(abs(try number("gbps") * median - bytes) < 1e-6 * bytes)
    #expect(try number("floorNs") > 0)
    #expect(object["limitRatio"] is NSNull)
    #expect(try number("clockNs") > 0)
  }

  @Test func `a control is as long as the median step`() throws {
    let object = try Tool.run(
      "bench", "--cell", "lstm", "--input", "64", "--hidden", "128", "--frames", "5000", "--json"
    ).object()
    let step = try #require(object["p50Ns"] as? Double)
    let control = try #require((object["control"] as? [String: Any])?["p50Ns"] as? Double)
    // The first few hundred steps set the control's length, so another program may come between.
    #expect(control > 0.5 * step && control < 2 * step)
  }

  @Test func `cold steps wait for memory, as hot steps do not`() throws {
    let object = try Tool.run(
      "bench", "--cell", "lstm", "--input", "64", "--hidden", "128", "--frames", "1000", "--json"
    ).object()
    let cold = try #require(object["coldMedianNs"] as? Double)
    #expect(cold > 1.5 * (try #require(object["p50Ns"] as? Double)))
    #expect(try #require(object["coldP99Ns"] as? Double) >= cold)
    #expect(try #require(object["coldFrames"] as? Int) >= 20)
  }

  @Test func `the ratio to a limit is the median's`() throws {
    let object = try Tool.run(Self.cell("--limit", "12.5", "--json"), input: "").object()
    let median = try #require(object["medianNs"] as? Double)
    #expect(object["limitNs"] as? Double == 12.5)
    #expect(abs(try #require(object["limitRatio"] as? Double) - median / 12.5) < 1e-9)
    let text = try Tool.run(Self.cell("--limit", "12.5"), input: "").output
    #expect(text.contains("limit            12.5 ns; the median is "))
  }

  @Test func `a model file is measured`() throws {
    let outcome = try Tool.run("bench", model, "--frames", "1000")
    #expect(outcome.code == 0)
    for part in [
      "gruResetAfter, input 3, hidden 4, f32, exact, 1 stream", "median", "floor", "control",
      "p99.99", "maximum", "reading the clock adds", "cold", "memory",
    ] {
      #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
    }
    #expect(try Tool.run("bench", model, "--cell", "gru").code == 64)
  }

  @Test func `weights of a file are called what they are`() throws {
    let path = folder.file("int8.runnel")
    try Models.classifier().stored(as: .int8).write(to: path)
    let object = try Tool.run("bench", path, "--frames", "1000", "--json").object()
    #expect(object["weights"] as? String == "int8")
    #expect(object["activationBits"] as? Int == 16)
    #expect(
      try Tool.run("bench", model, "--frames", "1000", "--json").object()["activationBits"]
        is NSNull)
  }

  @Test func `the histogram is drawn`() throws {
    let path = folder.file("times.svg")
    #expect(try Tool.run(Self.cell("--svg", path), input: "").code == 0)
    let svg = folder.text("times.svg")
    #expect(svg.hasPrefix("<svg "))
    #expect(isWellFormed(svg))
    for part in ["lstm, input 2, hidden 5", ">step<", ">control<", "p50", "max", "100"] {
      #expect(svg.contains(part), "\(part) is not in the drawing")
    }
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func `a histogram that cannot be written is refused before the work`() throws {
    let outcome = try Tool.run(Self.cell("--svg", folder.file("missing/times.svg")), input: "")
    #expect(outcome.code == 73)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("missing/times.svg: cannot write: No such file or directory"))
    #expect(try Tool.run(Self.cell("--svg", folder.path), input: "").code == 73)
    #expect(folder.names == ["classifier.runnel"])
  }

  @Test(arguments: [
    (["--limit", "0"], "nanoseconds above 0"), (["--frames", "0"], "from 1 to"),
    (["--weights", "int4"], "one of f32, f16, bf16, int8"),
    (["--accuracy", "best"], "one of exact, fast"), (["--streams", "0"], "from 1 to"),
    (["--activation-bits", "12"], "one of 16, 8"),
    (["--activation-bits", "16"], "goes with '--weights int8'"),
    (["--threads", "0"], "from 1 to 2"), (["--threads", "3"], "from 1 to 2"),
    (["--sequence", "-1"], "from 1 to"),
  ])
  func `a wrong option is refused`(options: [String], reason: String) throws {
    let outcome = try Tool.run(
      ["bench", "--cell", "rnn", "--input", "1", "--hidden", "1"] + options, input: "")
    #expect(outcome.code == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains(reason))
  }

  @Test func `a model that is not there ends with 66`() throws {
    let outcome = try Tool.run("bench", folder.file("none.runnel"))
    #expect(outcome.code == 66)
    #expect(outcome.errors.contains("none.runnel: cannot read"))
  }
}

@Suite struct `Measuring what is smaller or more` {
  private func measure(_ arguments: String...) throws -> [String: Any] {
    try Tool.run(
      ["bench", "--cell", "gru", "--input", "3", "--hidden", "20", "--frames", "500", "--json"]
        + arguments, input: ""
    ).object()
  }

  @Test(arguments: ["f32", "f16", "bf16", "int8"])
  func `weights of a type are measured`(type: String) throws {
    let object = try measure("--weights", type)
    #expect(object["weights"] as? String == type)
    #expect(object["activationBits"] as? Int == (type == "int8" ? 16 : nil))
    #expect(try #require(object["medianNs"] as? Double) > 0)
  }

  @Test func `int8 takes 8-bit activations, and activations have two classes`() throws {
    let object = try measure("--weights", "int8", "--activation-bits", "8", "--accuracy", "fast")
    #expect(object["activationBits"] as? Int == 8)
    #expect(object["accuracy"] as? String == "fast")
  }

  @Test(arguments: ["1", "2"])
  func `many streams are measured in one step`(threads: String) throws {
    let object = try measure("--streams", "6", "--threads", threads)
    #expect(object["streams"] as? Int == 6)
    #expect(object["threads"] as? Int == Int(threads))
    let median = try #require(object["medianNs"] as? Double)
    #expect(abs(try #require(object["framesPerSecond"] as? Double) * median - 6e9) < 10)
    #expect(abs(try #require(object["gflops"] as? Double) * median - 6 * 2 * 60 * 23) < 1e-3)
    #expect(try #require(object["groupBytes"] as? Int) > 0)
  }

  @Test(arguments: [
    (["--sequence", "2", "--streams", "2"], "goes with one stream"),
    (["--threads", "2"], "needs at least as many streams"),
    (["--streams", "1000000", "--hidden", "16384"], "measure fewer streams"),
  ])
  func `calls that cannot be are refused`(options: [String], reason: String) throws {
    let size = options.contains("--hidden") ? [] : ["--hidden", "1"]
    let outcome = try Tool.run(
      ["bench", "--cell", "rnn", "--input", "1"] + size + options, input: "")
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains(reason))
  }

  @Test func `a sequence is measured in one call`() throws {
    let object = try measure("--sequence", "50")
    #expect(object["sequence"] as? Int == 50)
    let median = try #require(object["medianNs"] as? Double)
    #expect(abs(try #require(object["framesPerSecond"] as? Double) * median - 5e10) < 100)
  }
}
