import Foundation
import Runnel
import TestSupport
import Testing

@Suite struct `Planning with plan` {
  let folder = TemporaryFolder()
  let model: String
  let loaded: Model

  init() throws {
    model = folder.file("classifier.runnel")
    try Models.classifier().write(to: model)
    loaded = try Model(Models.classifier())
  }

  @Test func `arithmetic and memory are counted`() throws {
    let object = try Tool.run("plan", model, "--rate", "100", "--streams", "1000", "--json")
      .object()
    let operations = try #require(object["operations"] as? [[String: Any]])
    #expect(operations.map { $0["code"] as? String } == ["gruResetAfter", "dense", "softmax"])
    // A GRU of 4 units with 3 inputs, and a dense layer of 3 units.
    #expect(operations.map { $0["multiplyAdds"] as? Int } == [12 * (3 + 4), 3 * 4, 0])
    #expect(operations.map { $0["bytes"] as? Int } == [4 * (12 * 7 + 12 + 4), 4 * (12 + 3), 0])
    #expect(object["multiplyAdds"] as? Int == 96)
    #expect(object["weightBytes"] as? Int == loaded.weightByteCount)
    #expect(object["sessionBytes"] as? Int == loaded.sessionByteCount)
    #expect(
      object["memoryBytes"] as? Int == loaded.weightByteCount + 1000 * loaded.sessionByteCount)
    #expect(["L1", "unknown"].contains(object["cache"] as? String))
  }

  @Test func `streams per core follow from the times, the rate and the margin`() throws {
    let object = try Tool.run("plan", model, "--rate", "250", "--streams", "70000000", "--json")
      .object()
    func number(_ name: String) throws -> Double { try #require(object[name] as? Double) }
    #expect(object["rate"] as? Double == 250)
    let free = 1 - (try number("margin"))
    #expect(abs(try number("share") - 250 * number("medianNs") / 1e9) < 1e-12)
    #expect(abs(try number("coldShare") - 250 * number("coldMedianNs") / 1e9) < 1e-12)
    for (streams, time) in [
      ("streamsPerCore", "medianNs"), ("streamsPerCoreP999", "p999Ns"),
      ("streamsPerCoreCold", "coldMedianNs"),
    ] {
      let expected = free * 1e9 / (250 * (try number(time)))
      #expect(abs(try number(streams) - expected.rounded(.down)) <= 1)
    }
    let perCore = try #require(object["streamsPerCoreP999"] as? Int)
    #expect(object["cores"] as? Int == (70_000_000 + perCore - 1) / perCore)
    #expect(try number("medianNs") > 0)
    #expect(try number("floorNs") > 0)
    #expect(try number("coldP99Ns") >= number("coldMedianNs"))
  }

  @Test func `a model with a rate of its own needs none`() throws {
    var description = try Models.classifier()
    description.metadata.frameRate = 12.5
    let path = folder.file("rated.runnel")
    try description.write(to: path)
    let outcome = try Tool.run("plan", path)
    #expect(outcome.code == 0)
    for part in [
      "12.5 frames/s", "multiply-adds", "gruResetAfter", "[12, 3]  [12, 4]", "floor", "hot median",
      "hot p99.9", "cold median", "30 % of a core left free", "streams per core", "held by",
    ] {
      #expect(outcome.output.contains(part), "\(part) is not in \(outcome.output)")
    }
    #expect(try Tool.run("plan", path, "--rate", "50", "--json").object()["rate"] as? Double == 50)
  }

  @Test(arguments: ["0", "-3", "nan", "fast", "1e9"])
  func `a rate that cannot be is refused`(rate: String) throws {
    let outcome = try Tool.run("plan", model, "--rate=\(rate)")
    #expect(outcome.code == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("frames in a second, from 0.001 to 1000000, not '\(rate)'"))
  }

  @Test(arguments: [nil, "0", "inf", "often"])
  func `a model without a rate that can be needs one`(rate: String?) throws {
    var description = try Models.classifier()
    description.metadata.entries["frameRate"] = rate.map { [$0] }
    let path = folder.file("unrated.runnel")
    try description.write(to: path)
    let outcome = try Tool.run("plan", path)
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains("give --rate HZ"))
  }

  @Test func `a core that is too slow for a stream is called so`() throws {
    let path = folder.file("large.runnel")
    try RandomModels.stack(.lstm, inputSize: 64, hiddenSize: 512, seed: 1).write(to: path)
    let outcome = try Tool.run("plan", path, "--rate", "1000000")
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("One core is too slow for one stream at this rate."))
    #expect(outcome.output.contains("more than one each"))
    let object = try Tool.run("plan", path, "--rate", "1000000", "--json").object()
    #expect(object["streamsPerCore"] as? Int == 0)
    #expect(object["cores"] is NSNull)
  }

  @Test func `a model that is not there ends with 66`() throws {
    let outcome = try Tool.run("plan", folder.file("none.runnel"), "--rate", "10")
    #expect(outcome.code == 66)
    #expect(outcome.errors.contains("none.runnel: cannot read"))
  }
}
