import Runnel

/// How predictions are written, one line each.
struct PredictionFormat {
  enum Kind { case csv, jsonLines }

  private let kind: Kind
  private let outputs: [Program.Port]
  /// The classes, where the first output is their probabilities.
  private let classes: [String]
  private let names: [String]

  /// A format for a program's predictions.
  init(_ kind: Kind, model: Model, program: Int) {
    self.kind = kind
    outputs = model.programs[program].outputs
    let labels = model.description.metadata.labels
    let isLabelled = labels.count == outputs[0].range.count
    classes = isLabelled && model.description.isClassifier(program) ? labels : []
    var names = isLabelled ? labels : []
    for output in outputs.dropFirst(isLabelled ? 1 : 0) {
      let count = output.range.count
      names += count == 1 ? [output.name] : (0..<count).map { "\(output.name)[\($0)]" }
    }
    self.names = names
  }

  /// The line of column names; JSON lines have none.
  var header: String {
    guard kind == .csv else { return "" }
    let columns = (classes.isEmpty ? [] : ["label"]) + names
    return columns.map(Self.field).joined(separator: ",") + "\n"
  }

  /// A prediction.
  func line(frame: Int, _ prediction: [Float]) -> String {
    let label = classes.isEmpty ? nil : classes[prediction.winner(of: classes.count)]
    switch kind {
    case .csv:
      let fields = (label.map { [Self.field($0)] } ?? []) + prediction.map { "\($0)" }
      return fields.joined(separator: ",") + "\n"
    case .jsonLines:
      var members: [(String, JSON)] = [("frame", .integer(frame))]
      if let label { members.append(("label", .string(label))) }
      let values = outputs.map { output in
        (output.name, JSON.array(prediction[output.range].map { .single($0) }))
      }
      members.append(("outputs", .object(values)))
      return JSON.object(members).text + "\n"
    }
  }

  /// What stands in the place of a prediction where the model gives none.
  func lineWithoutPrediction(frame: Int) -> String {
    guard kind == .jsonLines else { return "\n" }
    return JSON.object([("frame", .integer(frame)), ("outputs", .null)]).text + "\n"
  }

  /// The answer to a frame that was refused.
  func line(frame: Int, refused reason: String) -> String {
    guard kind == .jsonLines else { return "\n" }
    return JSON.object([("frame", .integer(frame)), ("error", .string(reason))]).text + "\n"
  }

  /// The answer to an empty line, which started a new stream.
  var resetLine: String { kind == .csv ? "\n" : "{\"reset\":true}\n" }

  /// A CSV field, in quotes where it needs them.
  private static func field(_ text: String) -> String {
    let special = text.isEmpty || text.contains { ",\"\n\r \t".contains($0) }
    guard special else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
