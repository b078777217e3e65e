import Runnel
import RunnelTraining

/// A model as `runnel info` shows it.
struct ModelSummary {
  private let loaded: LoadedModel
  private let fileByteCount: Int

  init(_ loaded: LoadedModel) throws {
    self.loaded = loaded
    fileByteCount = try ByteSource.contents(of: loaded.path).count
  }

  private var model: Model { loaded.model }
  private var description: ModelDescription { loaded.model.description }

  private var parameterCount: Int {
    description.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  /// An operation's name, with the shapes of its tensors by their names.
  private func tensors(_ operation: ModelOperation) -> [(name: String, shape: String)] {
    operation.tensors.map { index in
      let tensor = description.tensors[index]
      return (tensor.name, "[" + tensor.shape.map { "\($0)" }.joined(separator: ", ") + "]")
    }
  }

  /// The summary for people.
  var text: String {
    var lines = [
      "\(description.metadata.name?.escaped ?? "a model without a name") (\(loaded.path))"
    ]
    for program in model.programs.indices { lines += self.lines(program: program) }
    lines += [
      "",
      "parameters  \(parameterCount.grouped)",
      "file        \(fileByteCount.grouped) bytes",
      "weights     \(model.weightByteCount.grouped) bytes in memory, once",
      "session     \(model.sessionByteCount.grouped) bytes for each stream",
      "golden      \(goldenFrameCount) frames, tolerance \(description.golden.tolerance)",
      "level       \(model.level.name)",
    ]
    let entries = description.metadata.entries.filter { $0.key != "name" }
      .sorted { $0.key < $1.key }
    if !entries.isEmpty { lines += ["", "metadata"] }
    for (key, values) in entries {
      let shown = values.map { $0.escaped }
      lines.append(
        "  \(key.escaped): \(shown.joined(separator: key == "provenance" ? "\n    " : ", "))")
    }
    return lines.joined(separator: "\n")
  }

  private var goldenFrameCount: Int {
    description.golden.runs.reduce(0) { count, run in
      count + run.frames.count / model.programs[run.program].frameSize
    }
  }

  private func lines(program index: Int) -> [String] {
    let program = model.programs[index]
    var lines = ["", "program \(program.name.escaped)"]
    for input in program.inputs {
      let kind = input.indexLimit.map { "an index below \($0)" } ?? Self.numbers(input.range)
      lines.append("  in   \(input.name.escaped): \(kind)")
    }
    for operation in description.programs[index].operations {
      let shapes = tensors(operation).map { "\($0.name.escaped) \($0.shape)" }.joined(
        separator: ", ")
      lines.append("       \(operation.code)" + (shapes.isEmpty ? "" : "  \(shapes)"))
    }
    for output in program.outputs {
      lines.append("  out  \(output.name.escaped): \(Self.numbers(output.range))")
    }
    if program.needsWholeSequence {
      lines.append("  runs over whole sequences: there are no single steps")
    } else if !program.answersEveryFrame {
      lines.append("  answers some of the frames only")
    }
    return lines
  }

  private static func numbers(_ range: Range<Int>) -> String {
    range.count == 1 ? "1 number" : "\(range.count) numbers"
  }

  /// The summary for programs.
  var json: JSON {
    let programs = model.programs.enumerated().map { index, program -> JSON in
      let inputs = program.inputs.map { input -> JSON in
        let limit = input.indexLimit.map { JSON.integer($0) } ?? .null
        return [
          "name": .string(input.name), "width": .integer(input.range.count), "indexLimit": limit,
        ]
      }
      let outputs = program.outputs.map { output -> JSON in
        ["name": .string(output.name), "width": .integer(output.range.count)]
      }
      let operations = description.programs[index].operations.map { operation -> JSON in
        let tensors = operation.tensors.map { index -> JSON in
          let tensor = description.tensors[index]
          return [
            "name": .string(tensor.name), "shape": .array(tensor.shape.map { .integer($0) }),
          ]
        }
        return ["code": .string("\(operation.code)"), "tensors": .array(tensors)]
      }
      return [
        "name": .string(program.name), "frameSize": .integer(program.frameSize),
        "predictionSize": .integer(program.predictionSize),
        "answersEveryFrame": .boolean(program.answersEveryFrame),
        "needsWholeSequence": .boolean(program.needsWholeSequence), "inputs": .array(inputs),
        "operations": .array(operations), "outputs": .array(outputs),
      ]
    }
    let metadata = description.metadata.entries.sorted { $0.key < $1.key }.map { key, values in
      (key, JSON.array(values.map { .string($0) }))
    }
    return [
      "name": description.metadata.name.map { .string($0) } ?? .null,
      "programs": .array(programs), "parameters": .integer(parameterCount),
      "fileBytes": .integer(fileByteCount), "weightBytes": .integer(model.weightByteCount),
      "sessionBytes": .integer(model.sessionByteCount),
      "goldenFrames": .integer(goldenFrameCount),
      "goldenTolerance": .single(description.golden.tolerance),
      "level": .string(model.level.name), "metadata": .object(metadata),
    ]
  }
}
