import Runnel

/// `runnel verify`: compares what a model gives here with what it gave where it was made.
enum Verify: Command {
  static let syntax = CommandSyntax(
    name: "verify",
    summary: "Steps through the frames stored in a model and compares the predictions.",
    operands: [.init(name: "MODEL", help: "A .runnel file.")],
    details: """
      Exporters store some frames with the predictions that the trained network gives for
      them (golden frames). Exit code 0: all predictions are within the file's tolerance;
      1: they are not; 65: the file is damaged.
      """,
    examples: ["runnel verify models/vowels/vowels.runnel"],
    options: [
      LoadedModel.levelOption,
      .init(
        name: "json",
        help: "Print an object: ok, maxDeviation, tolerance, frames, level"),
    ])

  static func run(_ arguments: Arguments) throws {
    let loaded = try LoadedModel(arguments.operand(0)!, arguments)
    let verification = loaded.model.verify()
    if arguments.has("json") {
      let object: JSON = [
        "ok": .boolean(verification.ok),
        "maxDeviation": .single(verification.maxDeviation),
        "tolerance": .single(verification.tolerance),
        "frames": .integer(verification.frames),
        "level": .string(loaded.model.level.name),
      ]
      try printResult(object.text)
    } else if verification.frames == 0 {
      try printResult("\(loaded.path): no golden frames, nothing to compare")
    } else {
      try printResult(
        "\(loaded.path): \(verification.ok ? "ok" : "FAILED"), \(verification.frames) frames, "
          + "largest deviation \(verification.maxDeviation), tolerance \(verification.tolerance), "
          + "level \(loaded.model.level.name)")
    }
    if !verification.ok {
      throw Failure(
        .failure, "\(loaded.path): the predictions deviate from those stored in the file")
    }
  }
}
