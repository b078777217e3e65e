import Glibc
import Runnel
import RunnelTraining

/// A recipe on its way to a model file: trains, writes, loads what was written, and scores it.
struct TrainingJob {
  private var recipe: Recipe
  private let files: TrainingFiles
  private let resumes: Bool
  private let canResume: Bool
  private let isQuiet: Bool

  /// What became of it.
  struct Result {
    /// The model, loaded from the bytes that were written.
    let model: Model
    /// The size of its file.
    let fileByteCount: Int
    let output: String
    let curve: String
    /// The epoch whose parameters were kept, of how many that were trained.
    let epoch: Int
    let epochs: Int
    /// What the runtime gives beside the training's own forward pass, for whole sequences.
    let agreement: Verification
    /// The epochs that this run trained.
    let course: TrainingCourse
    /// What the sequences in ``scored`` are.
    let scoredSet: String
    let scored: [TrainingSequence]
    let loss: Loss
  }

  /// Prepares a job.
  ///
  /// - Parameters:
  ///   - recipe: What is made.
  ///   - output: Where it is written, if not where the recipe says.
  ///   - checkpoint: Where the run saves itself, if not beside the model.
  ///   - resumes: Whether the run goes on from the checkpoint.
  ///   - canResume: Whether there is a way to go on after an interruption.
  init(
    _ recipe: Recipe, output: String? = nil, checkpoint: String? = nil, resumes: Bool = false,
    canResume: Bool = true, isQuiet: Bool = false
  ) {
    self.recipe = recipe
    files = TrainingFiles(output: output ?? recipe.output, checkpoint: checkpoint)
    self.resumes = resumes
    self.canResume = canResume
    self.isQuiet = isQuiet
  }

  /// Does it all.
  ///
  /// - Throws: What is wrong with recipe or data before anything is written; ``Failure`` when the
  ///   training ends early. The model file is then what it was before.
  func run() throws -> Result {
    try files.check(sources: [recipe.path] + recipe.files.map(\.path), resumes: resumes)
    let (output, curve, checkpoint) = (files.output, files.curve, files.checkpoint)
    let data = try RecipeData(recipe)
    let specification = try recipe.network.specification(
      inputs: data.inputs, outputSize: data.outputSize)
    let trainer = try reporting(data) { () throws(TrainingError) in
      try Trainer(
        specification: specification, settings: recipe.settings, training: data.training,
        validation: data.validation)
    }
    if !resumes {
      try files.removeCheckpoint()
    } else if unsafe access(checkpoint, R_OK) != 0 {
      throw FileError(.read, checkpoint, errno: errno)
    }
    Interruption.begin()
    defer { Interruption.end() }
    var progress = ProgressReport(name: recipe.name, isQuiet: isQuiet)
    var course = TrainingCourse()
    let network = try reporting(data) { () throws(TrainingError) in
      try trainer.run(
        checkpoint: CheckpointPlan(
          path: checkpoint, epochs: max(1, recipe.settings.epochs / 20))
      ) { state in
        progress.show(state)
        if let record = state.completedEpoch { course.append(record) }
        return Interruption.isRequested ? .stop : .proceed
      }
    }
    progress.finish()

    let scored = data.test ?? lastOnly(data.validation ?? data.training)
    let agreement = try writing(output) { () throws(ModelError) in
      try self.agreement(network, scored)
    }
    let description = description(of: network, data: data, golden: scored)
    // What is scored is the file's bytes, read back; they have to prove themselves before they
    // replace anything.
    let (bytes, model) = try writing(output) { () throws(ModelError) in
      let bytes = try description.encoded()
      return (bytes, try Model(bytes: bytes.span, options: ModelOptions(verifiesGolden: true)))
    }
    try writing(output) { () throws(ModelError) in try AtomicFile.write(bytes, to: output) }
    let chart = TrainingCurve(name: recipe.name, history: network.history, kept: network.epoch)
    try writing(curve) { () throws(ModelError) in
      try AtomicFile.write(Array(chart.svg.utf8), to: curve)
    }
    try files.removeCheckpoint()
    return Result(
      model: model, fileByteCount: bytes.count, output: output, curve: curve,
      epoch: network.epoch, epochs: network.history.count, agreement: agreement,
      course: course,
      scoredSet: data.test != nil ? "test" : data.validation != nil ? "validation" : "training",
      scored: scored, loss: recipe.network.loss)
  }

  /// The sequences with the targets that the recipe asks to predict, without those at other frames
  /// that only training asks for.
  private func lastOnly(_ sequences: [TrainingSequence]) -> [TrainingSequence] {
    guard case .frames(let source) = recipe.data, !source.everyFrame else { return sequences }
    return sequences.map { sequence in
      guard case .classPerFrame(let classes) = sequence.targets else { return sequence }
      var sequence = sequence
      sequence.targets = .classAtLast(classes.last!)
      return sequence
    }
  }

  private func description(
    of network: TrainedNetwork, data: RecipeData, golden: [TrainingSequence]
  ) -> ModelDescription {
    let settings = recipe.settings
    let file = recipe.path.split(separator: "/").last.map(String.init) ?? recipe.path
    var provenance = recipe.about.map { [$0] } ?? []
    provenance += recipe.provenance
    provenance.append(
      "Trained by runnel \(Tool.version) from \(file), seed \(settings.seed), epoch "
        + "\(network.epoch) of \(settings.epochs)")
    var description = network.description(
      name: recipe.name, labels: data.labels, provenance: provenance, frameRate: recipe.frameRate,
      golden: golden.prefix(Self.goldenSequences).map { sequence in
        let inputs = sequence.context.map(\.inputs) + [sequence.inputs]
        return zip(inputs, network.specification.programs).map { inputs, program in
          Array(inputs.prefix(Self.goldenFrames * program.input.width))
        }
      })
    if !data.features.isEmpty { description.metadata.entries["features"] = data.features }
    description.metadata.inputLabels = data.inputLabels
    description.metadata.tokens = data.tokens
    description.metadata.inputTokens = data.inputTokens
    description.metadata.endLabel = data.endLabel
    return description
  }

  /// Compares the runtime with the training's forward pass, computed in Double, for every program.
  ///
  /// - Throws: ``ModelError/deviation(_:tolerance:)`` where they deviate.
  private func agreement(
    _ network: TrainedNetwork, _ sequences: [TrainingSequence]
  ) throws(ModelError) -> Verification {
    var frames = 0
    var whole: [[[Float]]] = []
    for sequence in sequences where whole.isEmpty || frames < Self.comparedFrames {
      let inputs = sequence.context.map(\.inputs) + [sequence.inputs]
      // A text may be one sequence of a million frames.
      whole.append(
        zip(inputs, network.specification.programs).map { inputs, program in
          Array(inputs.prefix(Self.comparedFrames * program.input.width))
        })
      frames += sequence.context.reduce(sequence.length) { $0 + $1.length }
    }
    let description = network.description(name: recipe.name, golden: whole)
    let verification = try Model(description).verify()
    guard verification.ok else {
      throw .deviation(verification.maxDeviation, tolerance: verification.tolerance)
    }
    return verification
  }

  /// The frames after which no other sequence is compared.
  private static let comparedFrames = 4_000
  private static let goldenSequences = 3
  private static let goldenFrames = 64

  private func writing<Value>(
    _ path: String, _ body: () throws(ModelError) -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch ModelError.file(let errno) {
      throw FileError(.write, path, errno: errno)
    } catch ModelError.deviation(let deviation, let tolerance) {
      throw Failure(
        .data,
        """
        \(recipe.name): the trained model's predictions deviate from the training's by \
        \(deviation), more than \(tolerance). \(path) is as it was. Try "normalise": true, or \
        data whose numbers are smaller.
        """)
    } catch {
      throw Failure(.data, "\(path): \(error.text)")
    }
  }

  /// Turns what the trainer says into words about recipe and files.
  private func reporting<Value>(
    _ data: RecipeData, _ body: () throws(TrainingError) -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch {
      throw TrainingErrorText(
        recipe: recipe, data: data, checkpoint: files.checkpoint, canResume: canResume
      ).error(error)
    }
  }
}
