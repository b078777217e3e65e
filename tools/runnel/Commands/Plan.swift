import Runnel
import RunnelTraining

/// `runnel plan`: how many streams a machine carries.
enum Plan: Command {
  static let syntax = CommandSyntax(
    name: "plan",
    summary: "Says what a model costs at a frame rate: arithmetic, memory, streams per core.",
    operands: [.init(name: "MODEL", help: "A .runnel file.")],
    details: """
      Counts the arithmetic of a frame of the model's first program, and measures a frame on
      this machine, on one thread: hot (weights and state in the caches) and cold (nothing
      in the caches, as in a service that does much else between two frames). 'runnel help
      bench' says how.

      floor    the time in which this core, measured here, could load the weights once and
               do the multiply-adds, had it nothing else to do.
      held by  the smallest cache of the CPU that has room for weights and one session.
      Streams per core are those that leave 30 % of the core free: by the median frame,
      if every frame took as long as one in a thousand (p99.9), and if every frame came
      cold. 'cores' in JSON goes by p99.9.
      """,
    examples: [
      "runnel plan models/vowels/vowels.runnel --rate 100 --streams 5000",
      "runnel plan models/motions/motions.runnel --json",
    ],
    options: [
      .init(
        name: "rate", value: "HZ",
        help: "Frames of a stream in a second (default: the model's own, where it has one)"),
      .init(name: "streams", value: "N", help: "Streams to make room for (default: 1)"),
      LoadedModel.levelOption,
      .init(
        name: "json",
        help: "Print an object: program, level, rate, streams, margin, operations (code,\n"
          + "multiplyAdds, bytes), multiplyAdds, weightBytes, sessionBytes, cache,\n"
          + "memoryBytes, readGBps, multiplyAddsPerNs, floorNs, medianNs, p999Ns,\n"
          + "coldMedianNs, coldP99Ns, share, coldShare, streamsPerCore,\n"
          + "streamsPerCoreP999, streamsPerCoreCold, cores"),
    ])

  static func run(_ arguments: Arguments) throws {
    let given = try arguments.rate()
    let streams = try arguments.int("streams", in: 1...1_000_000_000) ?? 1
    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    try loaded.requireSteps()
    guard let rate = given ?? loaded.model.description.frameRate else {
      throw arguments.error(
        "\(loaded.path) does not say how many frames come in a second: give --rate HZ")
    }
    var generator = RandomGenerator(seed: 1, purpose: .measuring)
    var workload = StepWorkload(
      loaded.model, frames: RandomFrames(RandomFrames.ring, of: loaded.model, using: &generator))
    let plan = CapacityPlan(
      loaded, rate: rate, streams: streams, measurement: try Measurement(&workload, calls: nil))
    try printResult(arguments.has("json") ? plan.json.text : plan.text)
  }
}

extension Arguments {
  /// The frames of a stream in a second.
  func rate() throws(UsageError) -> Double? {
    try value("rate", "frames in a second, from 0.001 to 1000000") { text in
      Double(text).flatMap { ModelDescription.frameRates ~= $0 ? $0 : nil }
    }
  }
}

extension ModelDescription {
  /// The frame rates that can be planned with.
  fileprivate static let frameRates = 0.001...1e6

  /// The model's own frame rate, where it says one that can be.
  var frameRate: Double? {
    metadata.frameRate.flatMap { Self.frameRates ~= $0 ? $0 : nil }
  }
}
