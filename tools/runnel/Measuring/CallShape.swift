import Runnel
import RunnelTraining

/// How many frames a measured call takes, of how many streams, on how many threads.
struct CallShape {
  let streams: Int
  let threads: Int
  let sequence: Int

  /// The most numbers in the frames, or in the predictions, of one call: 1 GiB of them.
  private static let mostNumbers = 1 << 28

  /// The shape that the command line asks for.
  init(_ arguments: Arguments) throws {
    streams = try arguments.int("streams", in: 1...1_000_000) ?? 1
    threads = try arguments.int("threads", in: 1...2) ?? 1
    sequence = try arguments.int("sequence", in: 1...1_000_000) ?? 1
    guard sequence == 1 || streams == 1 else {
      throw arguments.error("'--sequence' goes with one stream, not with '--streams \(streams)'")
    }
    guard threads <= streams else {
      throw arguments.error(
        "'--threads \(threads)' needs at least as many streams: --streams \(threads)")
    }
  }

  /// Measures a model.
  func measure(
    _ model: Model, calls: Int?, using generator: inout RandomGenerator
  ) throws -> Measurement {
    let numbers = max(streams, sequence) * max(model.frameSize, model.predictionSize)
    guard numbers <= Self.mostNumbers else {
      throw Failure(
        .usage,
        "the frames of one call are \(numbers.grouped) numbers, more than "
          + "\(Self.mostNumbers.grouped); measure fewer streams or a shorter sequence")
    }
    if sequence > 1 {
      var workload = SequenceWorkload(
        model, frames: RandomFrames(sequence, of: model, using: &generator))
      return try Measurement(&workload, calls: calls)
    }
    let ring = RandomFrames(max(RandomFrames.ring, 2 * streams), of: model, using: &generator)
    if streams > 1 {
      var workload = try GroupWorkload(model, streams: streams, threads: threads, frames: ring)
      return try Measurement(&workload, calls: calls)
    }
    var workload = StepWorkload(model, frames: ring)
    return try Measurement(&workload, calls: calls)
  }

  /// The shape in words, such as `64 streams on 2 threads`.
  var text: String {
    if sequence > 1 { return "sequences of \(sequence.grouped) frames" }
    let streams = streams == 1 ? "1 stream" : "\(streams.grouped) streams"
    return threads == 1 ? streams : "\(streams) on \(threads) threads"
  }

  /// What a call is called.
  var callName: String { sequence > 1 ? "a sequence" : "a step" }
}
