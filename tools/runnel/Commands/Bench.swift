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
      All times are nanoseconds of one step: a frame in, a prediction out, on one thread,
      with weights and state in the caches. medianNs is the median over 11 runs of at
      least 20 ms each of a run's mean time, over a ring of 256 random frames in -1...1.
      The percentiles and the maximum are of steps timed one by one with clock_gettime,
      whose own 20 to 40 ns are part of them, as are interruptions by the system.
      """,
    examples: [
      "runnel bench --cell lstm --input 64 --hidden 128",
      "runnel bench models/vowels/vowels.runnel --json",
    ],
    options: [
      .init(name: "cell", value: "CELL", help: "lstm, gru, gru-reset-before or rnn"),
      .init(name: "input", value: "N", help: "Numbers in a frame, 1 to 65536"),
      .init(name: "hidden", value: "N", help: "Units of the cell, 1 to 16384"),
      .init(name: "weights", value: "TYPE", help: "f32 (default, and all that this version has)"),
      .init(
        name: "streams", value: "N",
        help: "Streams in one step: 1 (default, and all that this version has)"),
      LoadedModel.levelOption,
      .init(
        name: "frames", value: "N", help: "Steps that are timed one by one (default: 100000)"),
      .init(
        name: "seed", value: "N", help: "Seed of the random weights and frames (default: 1)"),
      .init(
        name: "json",
        help: "Print an object: cell, input, hidden, weights, streams, level, frames,\n"
          + "medianNs, p99Ns, p999Ns, maxNs"),
    ])

  static func run(_ arguments: Arguments) throws {
    let frames = try arguments.int("frames", in: 1...100_000_000) ?? 100_000
    let seed = try arguments.seed() ?? 1
    let weights = arguments.string("weights") ?? "f32"
    guard weights == "f32" else {
      throw arguments.error("'--weights \(weights)' is not in this version, which has f32")
    }
    let streams = try arguments.int("streams", in: 1...1_000_000) ?? 1
    guard streams == 1 else {
      throw arguments.error("'--streams \(streams)' is not in this version, which steps 1")
    }
    var generator = RandomGenerator(seed: seed, purpose: .measuring)
    let subject = try subject(arguments, using: &generator)
    let times = try StepTimes(subject.model, frames: frames, using: &generator)
    guard arguments.has("json") else {
      try printResult(
        """
        \(subject.cell), input \(subject.input), hidden \(subject.hidden), f32, 1 stream, \
        level \(subject.model.level.name)

        median   \(times.median.fixed(1).padded(to: 10)) ns
        p99      \(times.percentile(0.99).fixed(0).padded(to: 8))   ns
        p99.9    \(times.percentile(0.999).fixed(0).padded(to: 8))   ns
        maximum  \(times.percentile(1).fixed(0).padded(to: 8))   ns, of \(frames.grouped) steps
        """)
      return
    }
    let object: JSON = [
      "cell": .string(subject.cell), "input": .integer(subject.input),
      "hidden": .integer(subject.hidden), "weights": .string(weights),
      "streams": .integer(streams), "level": .string(subject.model.level.name),
      "frames": .integer(frames), "medianNs": .number(times.median),
      "p99Ns": .number(times.percentile(0.99)), "p999Ns": .number(times.percentile(0.999)),
      "maxNs": .number(times.percentile(1)),
    ]
    try printResult(object.text)
  }

  /// What is measured, and how it is called in the result.
  private struct Subject {
    let cell: String
    let input: Int
    let hidden: Int
    let model: Model
  }

  private static func subject(
    _ arguments: Arguments, using generator: inout RandomGenerator
  ) throws -> Subject {
    let cell = try arguments.choice("cell", SyntheticCell.names)
    let input = try arguments.int("input", in: 1...65536)
    let hidden = try arguments.int("hidden", in: 1...16384)
    if let path = arguments.operand(0) {
      guard cell == nil, input == nil, hidden == nil else {
        throw arguments.error("give a model, or --cell, --input and --hidden, not both")
      }
      let model = try LoadedModel(path, arguments).model
      return Subject(
        cell: model.description.cell, input: model.frameSize, hidden: model.description.hiddenSize,
        model: model)
    }
    guard let cell, let input, let hidden else {
      throw arguments.error("give a model, or all of --cell, --input and --hidden")
    }
    let synthetic = SyntheticCell(cell: cell, input: input, hidden: hidden)
    do {
      let model = try Model(
        synthetic.description(using: &generator),
        options: ModelOptions(level: try LoadedModel.level(arguments)))
      return Subject(
        cell: arguments.string("cell")!, input: input, hidden: hidden, model: model)
    } catch let error as ModelError {
      throw Failure(error == .unsupportedLevel ? .unavailable : .usage, error.text)
    }
  }
}

extension ModelDescription {
  /// The kinds of the first program's recurrent operations, such as `gruResetAfter`.
  fileprivate var cell: String {
    let cells = programs[0].operations.filter { !$0.states.isEmpty }.map { "\($0.code)" }
    return cells.isEmpty ? "none" : cells.joined(separator: "+")
  }

  /// The size of the first state, the hidden state of the first cell.
  fileprivate var hiddenSize: Int { states.first?.size ?? 0 }
}
