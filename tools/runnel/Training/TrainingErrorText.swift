import Glibc
import Runnel
import RunnelTraining

/// What the trainer refuses, in words about the recipe and the files that it names.
struct TrainingErrorText {
  let recipe: Recipe
  let data: RecipeData
  let checkpoint: String
  let canResume: Bool

  /// The error that the command ends with.
  func error(_ error: TrainingError) -> any Error {
    switch error {
    case .specification(let fault, let layer): return recipe.network.error(fault, layer: layer)
    case .setting(let fault):
      return DataError(
        file: recipe.path, element: "training.\(fault.key)", found: "a value that does not fit",
        expected: fault.expected)
    case .noSequences:
      return DataError(
        file: recipe.path, element: "data", found: "no sequence to train on",
        expected: "at least one; lower \"validationFraction\" or add data")
    case .data(let fault, let split, let sequence, let frame):
      let place = frame < 0 ? "" : ", frame \(frame + 1)"
      return DataError(
        file: recipe.path, element: "data, \(split) sequence \(sequence + 1)\(place)",
        found: fault.found, expected: fault.expected)
    case .offset(let element, let mean, let deviation):
      let name = data.features.indices.contains(element) ? data.features[element] : "\(element)"
      return DataError(
        file: recipe.path, element: "network.normalise",
        found: "the column \(name) with mean \(mean) and deviation \(deviation), whose differences "
          + "32-bit floats cannot hold",
        expected: "a mean of at most 10,000 deviations: subtract a constant from the column "
          + "first, choose other units, or leave it out of \"features\"")
    case .diverged(let epoch, let minibatch):
      let kept =
        unsafe access(checkpoint, F_OK) == 0
        ? "The last good checkpoint is \(checkpoint)." : "There was no checkpoint yet."
      return Failure(
        .failure,
        """
        \(recipe.name): the training diverged in epoch \(epoch), minibatch \(minibatch): the loss \
        or a gradient is no longer finite. No model was written. Try a lower learning rate \
        ("schedule"), a lower "clipNorm" (1 is usual) or "normalise": true. \(kept)
        """)
    case .stopped(let epoch, _):
      guard canResume else {
        return Failure(Interruption.exitCode, "interrupted in epoch \(epoch)")
      }
      return Failure(
        Interruption.exitCode,
        """
        interrupted in epoch \(epoch). The model file is as it was. To go on from here, repeat \
        the command with --resume (the checkpoint is \(checkpoint)).
        """)
    case .checkpointFile(.file(let errno)):
      return FileError(.write, checkpoint, errno: errno)
    case .checkpointFile(let error): return Failure(.data, "\(checkpoint): \(error.text)")
    case .checkpointDamaged:
      return Failure(
        .data,
        "\(checkpoint): found a damaged checkpoint, expected a whole one; train again without "
          + "--resume")
    case .checkpointMismatch:
      return Failure(
        .data,
        "\(checkpoint): found a checkpoint of another recipe, data, seed or version of runnel, "
          + "expected one of \(recipe.path) as it is now; train again without --resume")
    }
  }
}

extension SettingFault {
  /// The key of the recipe's section "training".
  fileprivate var key: String { "\(self)" }

  fileprivate var expected: String {
    switch self {
    case .epochs, .batchSize, .window, .threads: "a whole number from 1"
    case .optimizer: "coefficients in their ranges"
    case .schedule: "rates above 0 and shares from 0 to 1"
    case .clipNorm: "a number above 0"
    case .labelSmoothing: "a number from 0 to below 1, and only with softmax cross-entropy"
    case .averaging: "a number from 0 to below 1"
    case .scheduledSampling:
      "a number from 0 to 1, and other than 0 only where the model predicts what its frames hold, as "
        + "in a text"
    case .validationFraction: "a number from 0 to below 1 that leaves something to train on"
    case .patience: "a whole number from 1, together with validation data"
    case .minimumCropFraction: "a number above 0 and up to 1, and only with one program"
    }
  }
}

extension DataFault {
  fileprivate var found: String {
    switch self {
    case .context: "another number of inputs than the network has programs"
    case .empty: "no frames"
    case .raggedInputs, .raggedTargets, .raggedWeights: "a count of numbers that does not fit"
    case .targetKind: "targets of another kind than the loss needs"
    case .nonFiniteInput: "a number that is infinite or NaN"
    case .indexOutOfRange: "an index out of range"
    case .labelOutOfRange: "a class out of range"
    case .targetOutOfRange: "a target out of range"
    case .weightOutOfRange: "a weight out of range"
    }
  }

  fileprivate var expected: String {
    switch self {
    case .context: "frames for each program"
    case .empty: "at least one frame"
    case .raggedInputs: "as many numbers in each frame as there are features"
    case .raggedTargets: "a target for each prediction"
    case .raggedWeights: "a weight for each frame"
    case .targetKind: "classes for softmax cross-entropy, numbers for the other losses"
    case .nonFiniteInput: "finite numbers"
    case .indexOutOfRange: "a whole number that the input can take"
    case .labelOutOfRange: "one of the network's classes"
    case .targetOutOfRange: "finite numbers, from 0 to 1 for sigmoid cross-entropy"
    case .weightOutOfRange: "finite numbers from 0, not all of them 0"
    }
  }
}
