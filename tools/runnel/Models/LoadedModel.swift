import Runnel
import RunnelTraining

/// A model from a file, as commands take it.
struct LoadedModel {
  let path: String
  let model: Model

  /// The option that chooses instructions.
  static let levelOption = CommandSyntax.Option(
    name: "level", value: "LEVEL",
    help: "Instructions to use: v2 (SSE 4.2), v3 (AVX2) or v4 (AVX-512)\n"
      + "(default: the best that the CPU has)")
  /// The option that chooses a program.
  static let programOption = CommandSyntax.Option(
    name: "program", value: "NAME",
    help: "The program to step, by its name or number (default: the first)")

  /// The option that chooses what int8 weights are multiplied by.
  static let activationBitsOption = CommandSyntax.Option(
    name: "activation-bits", value: "BITS",
    help: "With int8 weights: 16 (accurate, the default) or 8 (fastest)")

  /// Loads the model that the command line names, with its `--level`.
  init(_ path: String, _ arguments: Arguments) throws {
    self.path = path
    let options = ModelOptions(level: try Self.level(arguments))
    do {
      model = try Model(ModelDescription(path: path), options: options)
    } catch ModelError.file(let errno) {
      throw FileError(.read, path, errno: errno)
    } catch ModelError.unsupportedLevel {
      throw Failure(.unavailable, ModelError.unsupportedLevel.text)
    } catch {
      throw Failure(.data, "\(path): \(error.text)")
    }
  }

  /// Refuses a program that runs over whole sequences, on behalf of a command that steps.
  func requireSteps(program: Int = 0) throws(Failure) {
    guard model.programs[program].needsWholeSequence else { return }
    throw Failure(
      .data,
      "\(path): found a model that runs over whole sequences, expected one that steps from frame to "
        + "frame; 'runnel run' streams it")
  }

  /// The level that the command line asks for.
  static func level(_ arguments: Arguments) throws(UsageError) -> InstructionLevel? {
    try arguments.choice("level", ["v2": .v2, "v3": .v3, "v4": .v4])
  }

  /// The bits of activations that the command line asks for.
  static func activationBits(_ arguments: Arguments) throws(UsageError) -> Int? {
    try arguments.choice("activation-bits", ["16": 16, "8": 8])
  }

  /// The index of the program that the command line asks for.
  func program(_ arguments: Arguments) throws(UsageError) -> Int {
    let names = model.programs.map(\.name)
    return try arguments.value(
      "program", "one of " + names.joined(separator: ", ") + ", or a number"
    ) { text in
      names.firstIndex(of: text) ?? Int(text).flatMap { names.indices ~= $0 ? $0 : nil }
    } ?? 0
  }

  /// The file's size in bytes.
  var byteCount: Int {
    get throws { try ByteSource.contents(of: path).count }
  }
}

extension ModelDescription {
  /// Whether the first output of a program is the probabilities of classes.
  func isClassifier(_ program: Int) -> Bool {
    let program = programs[program]
    let index = program.outputs[0].slot - program.inputs.count
    return program.operations.indices ~= index && program.operations[index].code == .softmax
  }
}

extension InstructionLevel {
  /// The name on the command line.
  var name: String { "v\(rawValue)" }
}
