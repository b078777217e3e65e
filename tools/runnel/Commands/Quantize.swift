import Runnel
import RunnelTraining

/// `runnel quantize`: smaller weights, with what they change.
enum Quantize: Command {
  static let syntax = CommandSyntax(
    name: "quantize",
    summary: "Stores a model's weights in a smaller type, and shows what that changes.",
    operands: [.init(name: "MODEL", help: "A .runnel file.")],
    details: """
      Converts the matrices of the cells and dense layers, streams frames through the
      result and, in Double, through the model as it was, and prints size and speed before
      and after, the largest and mean absolute deviation of outputs and hidden states, and
      how many decisions flip. A decision is the largest number of an output; of an output
      of one number, the side of 0.5 of a sigmoid, or else the sign. The margin of one that
      flips is how far the model as it was is from deciding otherwise. Decisions are counted
      after every frame; with --decide last, for models that are asked at the end of a
      sequence, only after the last frame of each stream.

      The frames are the golden frames of the file, or those of --frames: again and again,
      or in part, where --hours or --count says how many. The state goes on from frame to
      frame; an empty line of CSV starts a new stream, and so does another value in the
      column --sequence. Columns that are not the model's are passed over. With --hours or
      --count and without --frames, they are random: normally distributed, with mean and
      deviation of the golden frames (without any, of the model's normalisation).

      --calibrate makes int8 more accurate: the weights of a row are rounded together, so that
      their errors cancel on frames like these. Inputs that are few beside the units of their
      cell get two integers for each weight, and a dense layer of few rows stays as it is,
      which costs a little size and time. Give it frames that the model was trained on, and
      others to --frames.

      Nothing is written, and the exit code is 1, when a bound that was given is passed.
      """,
    examples: [
      "runnel quantize models/vowels/vowels.runnel --to int8 --output /tmp/vowels-int8.runnel",
      "runnel quantize models/motions/motions.runnel --to bf16 \\\n"
        + "    --frames models/motions/test.csv --sequence sequence --hours 30 \\\n"
        + "    --max-deviation 0.01 --max-flips 0",
      "runnel quantize models/motions/motions.runnel --to int8 \\\n"
        + "    --calibrate models/motions/train.csv --frames models/motions/test.csv \\\n"
        + "    --sequence sequence --output /tmp/motions-int8.runnel",
    ],
    options: [
      .init(name: "to", value: "TYPE", help: "int8, bf16 or f16; or f32, which changes nothing"),
      LoadedModel.activationBitsOption,
      .init(
        name: "output", value: "FILE",
        help: "The file to write\n(default: beside MODEL, with the type behind its name)"),
      .init(name: "overwrite", help: "Let --output name MODEL itself"),
      .init(name: "frames", value: "FILE", help: "Frames to stream"),
      .init(
        name: "calibrate", value: "FILE",
        help: "Frames on which the errors of int8 weights are to cancel;\n"
          + "the first 20,000 count"),
      .init(
        name: "input-format", value: "FORMAT",
        help: "How --frames and --calibrate are written: csv or f32\n(default: csv)"),
      .init(
        name: "sequence", value: "COLUMN",
        help: "The column of CSV that numbers the streams: another value\n"
          + "starts a new one"),
      .init(name: "hours", value: "H", help: "Stream so many hours of frames"),
      .init(name: "count", value: "N", help: "Stream so many frames"),
      .init(
        name: "rate", value: "HZ",
        help: "Frames in a second, for --hours (default: the model's own)"),
      .init(
        name: "max-deviation", value: "X", help: "The largest deviation of an output that passes"),
      .init(
        name: "decide", value: "WHEN",
        help: "The decisions that count: every, after every frame, or last,\n"
          + "after the last frame of each stream (default: every)"),
      .init(name: "max-flips", value: "N", help: "The most decisions that may flip"),
      .init(name: "seed", value: "N", help: "Seed of random frames (default: 1)"),
      LoadedModel.programOption, LoadedModel.levelOption,
      .init(
        name: "json",
        help: "Print an object: to, activationBits, calibration, level, source,\n"
          + "frames, decide, decisions, flips, flippedMargin, outputs (largest,\n"
          + "mean, frame), states (the same), before (fileBytes, weightBytes,\n"
          + "medianNs), after (the same), written"),
    ])

  static func run(_ arguments: Arguments) throws {
    guard let type = try arguments.choice("to", WeightType.names) else {
      throw arguments.error("--to is missing: --to int8, --to bf16 or --to f16")
    }
    let bits = try LoadedModel.activationBits(arguments)
    guard bits == nil || type == .int8 else {
      throw arguments.error("'--activation-bits' goes with '--to int8'")
    }
    let bounds = try DriftBounds(arguments)
    let amount = try FrameAmount(arguments)
    let format = try arguments.choice("input-format", ["csv": FrameFile.Format.csv, "f32": .raw])
    let seed = try arguments.seed() ?? 1
    let decide =
      try arguments.choice("decide", ["every": DecisionTime.every, "last": .last]) ?? .every
    try requireFile(arguments, type, format)

    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    for program in loaded.model.programs.indices { try loaded.requireSteps(program: program) }
    let program = try loaded.program(arguments)
    let output = try output(arguments, loaded, type)
    var frames = try frames(
      arguments, loaded, program: program, format: format, amount: amount, seed: seed)
    guard decide == .every || frames.hasStreamEnd else {
      throw arguments.error(
        "'--decide last' counts the ends of streams, and none ends in \(frames.count.grouped) "
          + "frames (\(frames.origin))")
    }
    let calibration = try arguments.string("calibrate").map { path in
      try file(path, arguments, loaded, program, format, count: nil)
    }
    let report = try QuantisationReport(
      loaded, to: type, inputBits: bits ?? 16, calibration: calibration, over: &frames,
      decide: decide)
    let refusals = bounds.refusals(report.drift)
    if refusals.isEmpty { try output.write(report.bytes) }
    try printResult(
      arguments.has("json")
        ? report.json(written: refusals.isEmpty ? output.path : nil).text
        : report.text(written: refusals.isEmpty ? output.path : nil))
    guard refusals.isEmpty else {
      throw Failure(
        .failure,
        "\(output.path) is not written: " + refusals.joined(separator: ", and "))
    }
  }

  /// Refuses options of files where no file is read.
  private static func requireFile(
    _ arguments: Arguments, _ type: WeightType, _ format: FrameFile.Format?
  ) throws(UsageError) {
    let hasFile = arguments.string("frames") != nil || arguments.string("calibrate") != nil
    guard format == nil || hasFile else {
      throw arguments.error("'--input-format' goes with '--frames' or '--calibrate'")
    }
    if arguments.string("sequence") != nil {
      guard hasFile else {
        throw arguments.error("'--sequence' goes with '--frames' or '--calibrate'")
      }
      guard format != .raw else {
        throw arguments.error("'--sequence' goes with '--input-format csv'")
      }
    }
    guard arguments.string("calibrate") == nil || type == .int8 else {
      throw arguments.error("'--calibrate' goes with '--to int8'")
    }
  }

  /// The file to write; never the source, unless that is wanted.
  private static func output(
    _ arguments: Arguments, _ loaded: LoadedModel, _ type: WeightType
  ) throws -> OutputFile {
    let stem = loaded.path.hasSuffix(".runnel") ? String(loaded.path.dropLast(7)) : loaded.path
    let output = try OutputFile(arguments.string("output") ?? "\(stem)-\(type.name).runnel")
    guard
      arguments.has("overwrite")
        || OutputFile.resolved(output.path) != OutputFile.resolved(loaded.path)
    else {
      throw Failure(
        .usage,
        "\(output.path): is the model that is read; name another file, or replace it with "
          + "--overwrite")
    }
    return output
  }

  private static func frames(
    _ arguments: Arguments, _ loaded: LoadedModel, program: Int, format: FrameFile.Format?,
    amount: FrameAmount, seed: UInt64
  ) throws -> FrameSource {
    let model = loaded.model
    let count = try amount.count(loaded, arguments)
    if let path = arguments.string("frames") {
      return try file(path, arguments, loaded, program, format, count: count)
    }
    if count == nil, let golden = FrameSource.golden(model) { return golden }
    return .random(model, program: program, count: count ?? 10_000, seed: seed)
  }

  private static func file(
    _ path: String, _ arguments: Arguments, _ loaded: LoadedModel, _ program: Int,
    _ format: FrameFile.Format?, count: Int?
  ) throws -> FrameSource {
    let model = loaded.model
    let file = try FrameFile(
      path, format ?? .csv, size: model.programs[program].frameSize,
      features: program == 0 ? model.description.metadata.features : [],
      sequence: arguments.string("sequence"))
    return .file(file, path, model, program: program, count: count)
  }
}

/// How many frames the command line asks for.
private struct FrameAmount {
  private let count: Int?
  private let hours: Double?
  private let rate: Double?

  private static let mostFrames = 1e12

  init(_ arguments: Arguments) throws(UsageError) {
    count = try arguments.int("count", in: 1...Int(Self.mostFrames))
    hours = try arguments.value("hours", "hours above 0, at most 10000") { text in
      Double(text).flatMap { $0 > 0 && $0 <= 10_000 ? $0 : nil }
    }
    rate = try arguments.rate()
    guard count == nil || hours == nil else {
      throw arguments.error("give --hours or --count, not both")
    }
    guard rate == nil || hours != nil else { throw arguments.error("'--rate' goes with '--hours'") }
  }

  /// The number of frames; `nil` where nothing was asked for.
  func count(_ loaded: LoadedModel, _ arguments: Arguments) throws(UsageError) -> Int? {
    guard let hours else { return count }
    guard let rate = rate ?? loaded.model.description.frameRate else {
      throw arguments.error(
        "\(loaded.path) does not say how many frames come in a second: give --rate HZ, or --count "
          + "in place of --hours")
    }
    return Int(max(1, min(Self.mostFrames, (hours * 3600 * rate).rounded())))
  }
}

/// What the user lets pass.
private struct DriftBounds {
  private let deviation: Double?
  private let flips: Int?

  init(_ arguments: Arguments) throws(UsageError) {
    deviation = try arguments.value("max-deviation", "a number from 0") { text in
      Double(text).flatMap { $0 >= 0 && $0.isFinite ? $0 : nil }
    }
    flips = try arguments.int("max-flips", in: 0...Int.max)
  }

  /// What a drift passes, in words.
  func refusals(_ drift: Drift) -> [String] {
    var refusals: [String] = []
    if let deviation, drift.outputs.largest > deviation {
      refusals.append("an output deviates by \(drift.outputs.largest), more than \(deviation)")
    }
    if let flips, drift.flips > flips {
      refusals.append("\(drift.flips.grouped) decisions flip, more than \(flips.grouped)")
    }
    return refusals
  }
}
