import Runnel

/// Another format of weights, or another accuracy, for a model that is there.
struct ModelConversion {
  private let type: WeightType?
  private let activationBits: Int?
  private let isFast: Bool?

  /// The conversion that `--weights`, `--activation-bits` and `--accuracy` ask for.
  init(_ arguments: Arguments) throws(UsageError) {
    type = try arguments.choice("weights", WeightType.names)
    activationBits = try LoadedModel.activationBits(arguments)
    isFast = try arguments.choice("accuracy", ["exact": false, "fast": true])
    guard activationBits == nil || type == .int8 else {
      throw arguments.error("'--activation-bits' goes with '--weights int8'")
    }
  }

  /// The description in the format that was asked for.
  func apply(to description: ModelDescription) -> ModelDescription {
    var description = description
    if let type {
      description = description.converted(to: type, inputBits: activationBits ?? 16)
    }
    if let isFast { description = description.settingAccuracy(isFast ? .fast : .exact) }
    return description
  }

  /// The model in the format that was asked for; itself where nothing was asked for.
  func apply(to loaded: LoadedModel, level: InstructionLevel?) throws(Failure) -> Model {
    guard type != nil || isFast != nil else { return loaded.model }
    do {
      return try Model(
        apply(to: loaded.model.description), options: ModelOptions(level: level))
    } catch {
      throw Failure(.data, "\(loaded.path): converted: \(error.text)")
    }
  }
}
