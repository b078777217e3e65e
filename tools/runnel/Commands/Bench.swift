import Runnel
import RunnelTraining

/// `runnel bench`: what a step costs on this machine.
enum Bench: Command {
  static let syntax = CommandSyntax(
    name: "bench",
    summary: "Measures the time of a step, of a model file or of a synthetic cell.",
    operands: [
      .init(
        name: "MODEL", isOptional: true,
        help: "A .runnel file; otherwise --cell, --input and --hidden say what is measured.")
    ],
    details: """
      All times are nanoseconds of a call: one frame in, one prediction out; with
      --streams, a frame of each stream; with --sequence, all of its frames.

      median   hot: weights and state in the caches. The median over 11 runs of at least
               20 ms each of a run's mean time, over random frames in -1...1.
      p50 to maximum are of calls timed one by one with clock_gettime. What reading the
               clock adds (clockNs) is part of them, and so are interruptions by the system.
      control  arithmetic without memory, as long as the median call, timed the same way,
               in turns with the calls. What its tail shows is the machine's, not the
               network's.
      cold     all of the process's memory is flushed from all caches before each call.
      floor    the time in which this core, measured here, could load the packed weights
               once and do the multiply-adds, had it nothing else to do. No recurrent
               network reaches it.

      GFLOP/s counts two operations for each weight of a matrix and frame; GB/s the packed
      weights once a step (in a sequence, once a frame).
      """,
    examples: [
      "runnel bench --cell lstm --input 64 --hidden 128",
      "runnel bench models/vowels/vowels.runnel --svg vowels-times.svg",
      "runnel bench --cell gru --input 40 --hidden 256 --weights int8 --streams 64 --json",
    ],
    options: [
      .init(name: "cell", value: "CELL", help: "lstm, gru, gru-reset-before or rnn"),
      .init(name: "input", value: "N", help: "Numbers in a frame, 1 to 65536"),
      .init(name: "hidden", value: "N", help: "Units of the cell, 1 to 16384"),
      .init(
        name: "weights", value: "TYPE",
        help: "f32, f16, bf16 or int8: converts the matrices before measuring\n"
          + "(default: as in the file; f32 for a synthetic cell)"),
      LoadedModel.activationBitsOption,
      .init(
        name: "accuracy", value: "CLASS",
        help: "exact or fast: the activations' (default: as in the file; exact)"),
      .init(name: "streams", value: "N", help: "Streams in one step (default: 1)"),
      .init(name: "threads", value: "N", help: "Threads for the streams, 1 or 2 (default: 1)"),
      .init(
        name: "sequence", value: "T", help: "Known frames of one stream in one call (default: 1)"),
      LoadedModel.levelOption,
      .init(
        name: "frames", value: "N",
        help: "Calls that are timed one by one (default: 100000, fewer if that took\n"
          + "more than 10 seconds, at least 1000); cold ones at most as many"),
      .init(
        name: "seed", value: "N", help: "Seed of the random weights and frames (default: 1)"),
      .init(
        name: "limit", value: "NS",
        help: "A time to compare the median with, such as tools/bench finds"),
      .init(name: "svg", value: "FILE", help: "Draw how often calls and controls took how long"),
      .init(
        name: "json",
        help: "Print an object: cell, input, hidden, weights, activationBits,\n"
          + "accuracy, streams, threads, sequence, level, frames, medianNs,\n"
          + "framesPerSecond, p50Ns, p99Ns, p999Ns, p9999Ns, maxNs,\n"
          + "coldMedianNs, coldP99Ns, coldFrames, gflops, gbps, weightBytes,\n"
          + "sessionBytes, groupBytes, floorNs, limitNs, limitRatio, clockNs,\n"
          + "control (p50Ns, p99Ns, p999Ns, p9999Ns, maxNs)"),
    ])

  static func run(_ arguments: Arguments) throws {
    let calls = try arguments.int("frames", in: 1...100_000_000)
    let seed = try arguments.seed() ?? 1
    let limit = try arguments.value("limit", "nanoseconds above 0") { text in
      Double(text).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }
    let shape = try CallShape(arguments)
    let conversion = try ModelConversion(arguments)
    let svg = try arguments.string("svg").map { try OutputFile($0) }
    var generator = RandomGenerator(seed: seed, purpose: .measuring)
    let subject = try BenchSubject(arguments, conversion, using: &generator)
    let result = BenchResult(
      subject: subject, shape: shape, limit: limit,
      measurement: try shape.measure(subject.model, calls: calls, using: &generator))
    try svg?.write(
      Array(LatencyHistogram(title: result.title, times: result.measurement.single).svg.utf8))
    try printResult(arguments.has("json") ? result.json.text : result.text)
  }
}
