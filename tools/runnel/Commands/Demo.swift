import Glibc
import Runnel
import RunnelTraining

/// `runnel demo`: the whole path, from data to predictions.
enum Demo: Command {
  static let syntax = CommandSyntax(
    name: "demo",
    summary: "Trains a model on real data, exports it and streams it, in under a minute.",
    details: """
      Trains models/vowels (who of nine speakers is talking?), writes the model file, loads
      it, streams the test set frame by frame, and shows what that gives and costs: the share
      of test sequences whose speaker is recognised at their last frame, the bytes of the
      model file and of a session, the nanoseconds of a frame (the median over 11 passes
      through the test set of a pass's mean), and how often a step allocated memory: counted,
      in every step, by replacing malloc, and checked against an allocation that must be seen.

      Run it in the folder of the repository.
      """,
    examples: ["runnel demo", "runnel demo --seed 7 --json"],
    options: [
      .init(name: "seed", value: "N", help: "Another seed than the recipe's"),
      .init(
        name: "output", value: "DIR",
        help: "Keep the model and the training curve in this folder\n"
          + "(default: a temporary folder that is deleted)"),
      .init(
        name: "json",
        help: "End with an object: accuracy, modelBytes, sessionBytes, medianNs,\n"
          + "allocationsInStep"),
    ])

  private static let recipePath = "models/vowels/recipe.json"

  static func run(_ arguments: Arguments) throws {
    let seed = try arguments.seed()
    guard unsafe access(recipePath, R_OK) == 0 else {
      let reason = unsafe String(cString: strerror(errno))
      throw Failure(
        .noInput,
        "\(recipePath): cannot read: \(reason); run the demo in the folder of the repository, or "
          + "train any recipe with 'runnel train'")
    }
    var recipe = try Recipe(path: recipePath)
    if let seed { recipe.settings.seed = seed }
    let folder = try DemoFolder(arguments.string("output"))
    let result = try TrainingJob(recipe, output: folder.path + "/vowels.runnel", canResume: false)
      .run()
    let score = try StreamedScore(result.model, result.scored, loss: result.loss)
    let cost = try StreamCost(result.model, result.scored)
    guard cost.seenInControl > 0 else {
      throw Failure(.failure, "an allocation was made and not seen: the count is worth nothing")
    }
    if arguments.has("json") {
      let object: JSON = [
        "accuracy": .number(score.accuracy), "modelBytes": .integer(result.fileByteCount),
        "sessionBytes": .integer(result.model.sessionByteCount),
        "medianNs": .number(cost.medianNanoseconds),
        "allocationsInStep": .integer(cost.allocations),
      ]
      try printResult(object.text)
    } else {
      let kept = arguments.string("output") != nil
      try printResult(
        """
        accuracy     \(score.accuracy.fixed(4)), \(score.right) of \(score.count) test sequences
        model        \(result.fileByteCount.grouped) bytes\(kept ? ", \(result.output)" : "")
        session      \(result.model.sessionByteCount.grouped) bytes for each stream
        frame        \(cost.medianNanoseconds.fixed(0)) ns, level \(result.model.level.name)
        allocations  \(cost.allocations) in \(cost.steps.grouped) steps \
        (control: \(cost.seenInControl) of \(cost.madeInControl) seen)
        """)
    }
    guard cost.allocations == 0 else {
      throw Failure(.failure, "a step allocated memory, \(cost.allocations) times")
    }
  }
}
