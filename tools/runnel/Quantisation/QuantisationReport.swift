import Runnel
import RunnelTraining

/// What a conversion of the weights changes.
struct QuantisationReport {
  private struct Cost {
    let fileByteCount: Int
    let weightByteCount: Int
    let medianNanoseconds: Double
  }
  /// The converted model as a file.
  let bytes: [UInt8]
  let drift: Drift
  private let loaded: LoadedModel
  private let converted: ModelDescription
  private let type: WeightType
  private let origin: String
  private let calibration: String?
  private let before: Cost
  private let after: Cost

  /// Converts a model and streams frames through it.
  ///
  /// - Parameters:
  ///   - calibration: Frames on which the errors of int8 weights are to cancel.
  ///   - decide: After which frames decisions are counted.
  init(
    _ loaded: LoadedModel, to type: WeightType, inputBits: Int, calibration: FrameSource?,
    over frames: inout FrameSource, decide: DecisionTime
  ) throws {
    self.loaded = loaded
    self.type = type
    origin = frames.origin
    self.calibration = calibration?.origin
    let level = loaded.model.level
    func reporting<Value>(_ body: () throws(ModelError) -> Value) throws -> Value {
      do throws(ModelError) { return try body() } catch {
        throw Failure(.data, "\(loaded.path): converted to \(type.name): \(error.text)")
      }
    }
    let source = loaded.model.description
    var description: ModelDescription
    var rounded = ""
    if var calibration {
      let observed = try reporting { () throws(ModelError) in
        try Calibration(source, over: &calibration)
      }
      description = Self.showing("\(loaded.path) rounding") { progress in
        observed.converted(inputBits: inputBits, progress: progress)
      }
      rounded = ", rounded over \(observed.frames.grouped) frames"
    } else {
      description = source.converted(to: type, inputBits: inputBits)
    }
    description.metadata.provenance.append(
      "Weights stored as \(description.weightNames) by runnel \(Tool.version), were "
        + source.weightNames + rounded)
    let draft = try reporting { () throws(ModelError) in
      try Model(description, options: ModelOptions(level: level))
    }
    description.golden = try draft.ownGolden()
    let finished = description
    // What is measured is the file's bytes, read back.
    let (bytes, model) = try reporting { () throws(ModelError) in
      let bytes = try finished.encoded()
      return (
        bytes,
        try Model(bytes: bytes.span, options: ModelOptions(level: level, verifiesGolden: true))
      )
    }
    self.bytes = bytes
    converted = finished
    before = Cost(
      fileByteCount: try loaded.byteCount, weightByteCount: loaded.model.weightByteCount,
      medianNanoseconds: try Self.median(loaded.model))
    after = Cost(
      fileByteCount: bytes.count, weightByteCount: model.weightByteCount,
      medianNanoseconds: try Self.median(model))

    drift = try Self.showing(loaded.path) { progress in
      try Drift(
        from: loaded.model, to: ObservedModel(model), level: level, over: &frames,
        decide: decide, progress: progress)
    }
  }

  /// Shows the progress of what takes longer than a second.
  private static func showing<Value>(
    _ name: String, _ body: ((Double) -> Void) throws -> Value
  ) rethrows -> Value {
    var line = ProgressLine(name: name)
    let start = nanoseconds()
    var isShown = false
    let value = try body { fraction in
      let spent = Double(nanoseconds() - start) / 1e9
      guard spent > 1, line.isDue else { return }
      line.draw(fraction: fraction, [], secondsLeft: spent / fraction * (1 - fraction))
      isShown = true
    }
    if isShown { line.finish() }
    return value
  }

  private static func median(_ model: Model) throws(StepError) -> Double {
    var generator = RandomGenerator(seed: 1, purpose: .measuring)
    var workload = StepWorkload(
      model, frames: RandomFrames(RandomFrames.ring, of: model, using: &generator))
    return try MeanTime(&workload).median
  }

  /// The report for people.
  ///
  /// - Parameter written: The file that was written, if one was.
  func text(written: String?) -> String {
    let bits = converted.activationBits.map { ", \($0)-bit activations" } ?? ""
    func row(_ name: String, _ before: String, _ after: String, _ ratio: Double) -> String {
      name.filled(to: 10) + before.padded(to: 16) + after.padded(to: 16)
        + (ratio.fixed(2) + " x").padded(to: 11)
    }
    func row(_ name: String, _ deviation: Deviation) -> String {
      guard deviation.count > 0 else { return name.filled(to: 10) + "not observed".padded(to: 16) }
      return name.filled(to: 10) + Self.scientific(deviation.largest).padded(to: 16)
        + Self.scientific(deviation.mean).padded(to: 16)
        + "frame \(deviation.frame.grouped)".padded(to: 20)
    }
    return [
      "\(loaded.path): \(loaded.model.description.weightNames) to \(type.name)\(bits)"
        + (calibration.map { " (calibrated: \($0))" } ?? "") + ", level \(loaded.model.level.name)",
      "",
      "                    before           after",
      row(
        "file", "\(before.fileByteCount.grouped) B", "\(after.fileByteCount.grouped) B",
        Double(after.fileByteCount) / Double(before.fileByteCount)),
      row(
        "weights", "\(before.weightByteCount.grouped) B", "\(after.weightByteCount.grouped) B",
        Double(after.weightByteCount) / Double(max(1, before.weightByteCount))),
      row(
        "step", "\(before.medianNanoseconds.fixed(0)) ns",
        "\(after.medianNanoseconds.fixed(0)) ns",
        after.medianNanoseconds / before.medianNanoseconds),
      "",
      "deviation      largest            mean        largest at",
      row("outputs", drift.outputs), row("states", drift.states),
      "",
      "\(drift.flips.grouped) of \(drift.decisions.grouped) decisions "
        + (drift.decide == .last ? "after the last frame of a stream " : "") + "flip, in "
        + "\(drift.frames.grouped) frames (\(origin))"
        + (drift.flips == 0
          ? "" : "\nmargins of decisions that flip: up to \(Self.scientific(drift.flippedMargin))"),
      written.map { "written: \($0)" } ?? "not written",
    ].joined(separator: "\n")
  }

  /// A small number with three digits, such as `1.25e-05`.
  private static func scientific(_ value: Double) -> String {
    guard value > 0, value.isFinite else { return "\(value)" }
    var (digits, exponent) = (value, 0)
    while digits < 1 { (digits, exponent) = (digits * 10, exponent - 1) }
    while digits >= 9.995 { (digits, exponent) = (digits / 10, exponent + 1) }
    return "\(digits.fixed(2))e\(exponent)"
  }

  /// The report for programs.
  func json(written: String?) -> JSON {
    func object(_ cost: Cost) -> JSON {
      [
        "fileBytes": .integer(cost.fileByteCount), "weightBytes": .integer(cost.weightByteCount),
        "medianNs": .number(cost.medianNanoseconds),
      ]
    }
    func object(_ deviation: Deviation) -> JSON {
      guard deviation.count > 0 else { return .null }
      return [
        "largest": .number(deviation.largest), "mean": .number(deviation.mean),
        "frame": .integer(deviation.frame),
      ]
    }
    return [
      "to": .string(type.name),
      "activationBits": converted.activationBits.map { .integer($0) } ?? .null,
      "calibration": calibration.map { .string($0) } ?? .null,
      "level": .string(loaded.model.level.name), "source": .string(origin),
      "frames": .integer(drift.frames), "decide": .string(drift.decide.rawValue),
      "decisions": .integer(drift.decisions), "flips": .integer(drift.flips),
      "flippedMargin": drift.flips == 0 ? .null : .number(drift.flippedMargin),
      "outputs": object(drift.outputs),
      "states": object(drift.states), "before": object(before), "after": object(after),
      "written": written.map { .string($0) } ?? .null,
    ]
  }
}

extension Model {
  /// The golden frames with the predictions that this model gives for them, so that a file proves
  /// that it computes what it computed here.
  fileprivate func ownGolden() throws -> GoldenFrames {
    var golden = description.golden
    var session = Session(self)
    for (number, run) in golden.runs.enumerated() {
      let program = programs[run.program]
      if run.startsFromReset { session.reset() }
      for index in 0..<run.frames.count / program.frameSize {
        let first = index * program.frameSize
        var prediction = [Float](repeating: 0, count: program.predictionSize)
        do throws(StepError) {
          try Self.step(
            &session, run.program, run.frames[first..<first + program.frameSize], &prediction)
        } catch {
          throw error.dataError(file: "golden frames", line: nil, frame: index + 1)
        }
        let place = index * program.predictionSize
        golden.runs[number].predictions.replaceSubrange(
          place..<place + program.predictionSize, with: prediction)
      }
    }
    return golden
  }

  private static func step(
    _ session: inout Session, _ program: Int, _ frame: ArraySlice<Float>,
    _ prediction: inout [Float]
  ) throws(StepError) {
    var span = prediction.mutableSpan
    try session.step(program: program, frame.span, into: &span)
  }
}
