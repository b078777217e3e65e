import Runnel
import RunnelTraining

/// `runnel run`: frames in, predictions out, one by one.
enum Run: Command {
  static let syntax = CommandSyntax(
    name: "run",
    summary: "Streams frames through a model and answers each with a prediction.",
    operands: [
      .init(name: "MODEL", help: "A .runnel file."),
      .init(
        name: "INPUT", isOptional: true,
        help: "A file of frames; standard input where it is left out or '-'."),
    ],
    details: """
      Each frame is answered as soon as it has come, so this works in a live pipe.

      CSV: a line is a frame, with as many numbers as 'runnel info MODEL' says, separated
      by commas. If the first line holds names, the answers begin with a line of names
      too; names that are the model's own may stand in any order, and then all of them
      must be there, and no others. f32: 32-bit floats, little-endian, one frame behind the
      other. text: every character is a frame, for
      models that read characters; for models that read words, every word is one, and every
      line is a stream of its own, behind whose answers stands an empty line.

      Every line in gives one line out. It is empty (in JSON: "outputs" is null) where a
      model does not answer every frame. A model that runs over whole sequences answers when
      the input, or with --reset-on-blank-line the stream, has ended.

      Where a model predicts classes, a line of CSV is the most probable label, followed by
      the probability of each label; a JSON line is
      {"frame":1,"label":"3","outputs":{"prediction":[...]}}. 'runnel info MODEL' lists
      the labels in their order.
      """,
    examples: [
      "runnel run models/vowels/vowels.runnel models/vowels/sample.csv",
      "sensor | runnel run models/motions/motions.runnel --output-format jsonl",
      "printf hell | runnel run models/hello/hello-gru.runnel --input-format text",
      "runnel run models/tagging/tagging.runnel models/tagging/sample.txt --input-format text",
    ],
    options: [
      .init(name: "input-format", value: "FORMAT", help: "csv, f32 or text (default: csv)"),
      .init(name: "output-format", value: "FORMAT", help: "csv or jsonl (default: csv)"),
      LoadedModel.programOption, LoadedModel.levelOption,
      .init(
        name: "reset-on-blank-line",
        help: "An empty line starts a new stream (default: it is a mistake)"),
      .init(
        name: "skip-bad",
        help: "Report a bad frame on standard error, answer it with an empty line\n"
          + "(in JSON: an object with \"error\"), leave the stream as it was, and go on\n"
          + "(default: stop with exit code 65)"),
    ])

  private enum InputFormat { case csv, raw, text }

  static func run(_ arguments: Arguments) throws {
    let input =
      try arguments.choice("input-format", ["csv": InputFormat.csv, "f32": .raw, "text": .text])
      ?? .csv
    let output =
      try arguments.choice(
        "output-format", ["csv": PredictionFormat.Kind.csv, "jsonl": .jsonLines]) ?? .csv
    let resetsOnBlankLine = arguments.has("reset-on-blank-line")
    guard !resetsOnBlankLine || input == .csv else {
      throw arguments.error("'--reset-on-blank-line' goes with '--input-format csv'")
    }
    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    let program = try loaded.program(arguments)
    if loaded.model.programs[program].needsWholeSequence, arguments.has("skip-bad") {
      throw arguments.error(
        "'--skip-bad' goes with models that answer frame by frame; \(loaded.path) runs over whole "
          + "sequences")
    }
    let source =
      switch arguments.operand(1) {
      case nil, "-": ByteSource()
      case let path?: try ByteSource(path: path)
      }
    var answers = Answers(
      stream: Stream(loaded.model, program: program),
      format: PredictionFormat(output, model: loaded.model, program: program),
      skipsBad: arguments.has("skip-bad"))
    // What was answered before an error belongs to the result.
    defer { try? answers.output.flush() }
    switch input {
    case .csv:
      try answers.answerLines(
        of: source, features: program == 0 ? loaded.model.description.metadata.features : [],
        resetsOnBlankLine: resetsOnBlankLine)
    case .raw: try answers.answerFloats(of: source)
    case .text:
      guard let tokens = TokenInput(loaded.model, program: program) else {
        throw Failure(
          .data,
          "\(loaded.path): found a model whose frames are not characters or words, expected one with "
            + "a label for each value of its input")
      }
      try answers.answerText(of: source, tokens: tokens)
    }
    try answers.output.flush()
  }
}

extension ModelMetadata {
  /// The names of a frame's elements, as `runnel train` writes them.
  var features: [String] { entries["features"] ?? [] }
}
