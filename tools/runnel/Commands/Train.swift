import RunnelTraining

/// `runnel train`: from a recipe to a model.
enum Train: Command {
  static let syntax = CommandSyntax(
    name: "train",
    summary: "Trains a model as a recipe says, and writes it.",
    operands: [.init(name: "RECIPE", help: "A recipe.json; its paths are relative to it.")],
    details: """
      A recipe names the data (CSV, one row a frame; a text; lines with what is to be said of
      them), the layers, and how they are trained. models/README.md lists its keys;
      models/vowels/recipe.json is one to start from. At the end the model file is written with
      frames to prove itself by, the training curve as SVG beside it, and the test set is
      streamed frame by frame through the runtime for the score; models of two programs read
      and then write each line of it. The same recipe and seed give the same file, bit for bit.

      Ctrl-C keeps a checkpoint, from which --resume goes on to the same bits. A run that
      dies leaves the old model file or the new one, never a part of one.
      """,
    examples: [
      "runnel train models/vowels/recipe.json",
      "runnel train models/hello/recipe-gru.json --output /tmp/hello.runnel --seed 7",
    ],
    options: [
      .init(
        name: "output", value: "PATH", help: "Where the model is written (default: the recipe's)"),
      .init(name: "seed", value: "N", help: "Another seed than the recipe's"),
      .init(name: "epochs", value: "N", help: "Another number of epochs than the recipe's"),
      .init(
        name: "threads", value: "N",
        help: "Threads to compute on (default: one a processor); no influence on the result"),
      .init(
        name: "checkpoint", value: "PATH",
        help: "Where the run saves itself (default: beside the model, until it is done)"),
      .init(
        name: "resume",
        help: "Go on from the checkpoint (default: begin anew, and replace a checkpoint)"),
      .init(name: "quiet", help: "No progress, only the result."),
      .init(
        name: "json",
        help: "Print the result as an object: model, modelBytes, epoch, epochs, curve,\n"
          + "set, score, bits (a token, of character models), agreement, course (of\n"
          + "each epoch of this run: epoch, seconds since its start, loss, accuracy or\n"
          + "error, validationLoss)"),
    ])

  static func run(_ arguments: Arguments) throws {
    let seed = try arguments.seed()
    let epochs = try arguments.int("epochs", in: 1...1_000_000)
    let threads = try arguments.int("threads", in: 1...256)
    var recipe = try Recipe(path: arguments.operand(0)!)
    if let seed { recipe.settings.seed = seed }
    if let epochs { recipe.settings.epochs = epochs }
    recipe.settings.threads = threads
    let job = TrainingJob(
      recipe, output: arguments.string("output"), checkpoint: arguments.string("checkpoint"),
      resumes: arguments.has("resume"), isQuiet: arguments.has("quiet"))
    let result = try job.run()
    let score = try StreamedScore(result.model, result.scored, loss: result.loss)
    if arguments.has("json") {
      let object: JSON = [
        "model": .string(result.output), "modelBytes": .integer(result.fileByteCount),
        "epoch": .integer(result.epoch), "epochs": .integer(result.epochs),
        "curve": .string(result.curve), "set": .string(result.scoredSet),
        "score": .number(score.value), "bits": score.bitsPerToken.map { .number($0) } ?? .null,
        "agreement": .number(Double(result.agreement.maxDeviation)), "course": result.course.json,
      ]
      return try printResult(object.text)
    }
    try printResult(
      """
      \(result.scoredSet.padding) \(score.text) through the runtime
      agreement  within \(result.agreement.maxDeviation) of training's own numbers, in \
      \(result.agreement.frames.grouped) frames of whole sequences
      model      \(result.output), \(result.fileByteCount.grouped) bytes, epoch \(result.epoch) \
      of \(result.epochs)
      curve      \(result.curve)
      """)
  }
}

extension String {
  fileprivate var padding: String { self + String(repeating: " ", count: 10 - count) }
}
