import Runnel

/// What `bench` prints.
struct BenchResult {
  let subject: BenchSubject
  let shape: CallShape
  /// Nanoseconds that the caller compares with.
  let limit: Double?
  let measurement: Measurement
  private let floor: Double

  init(subject: BenchSubject, shape: CallShape, limit: Double?, measurement: Measurement) {
    self.subject = subject
    self.shape = shape
    self.limit = limit
    self.measurement = measurement
    let model = subject.model
    floor = MachineFloor(
      level: model.level, bytes: model.weightByteCount, kind: model.description.multiplyAddKind
    ).nanoseconds(
      bytes: model.weightByteCount,
      multiplyAdds: model.description.matrixMultiplyAdds(program: 0) * measurement.framesPerCall
        / shape.threads)
  }

  private var model: Model { subject.model }
  private var description: ModelDescription { model.description }
  private var accuracy: String { description.isFast ? "fast" : "exact" }

  private var gigaflops: Double {
    2 * Double(description.matrixMultiplyAdds(program: 0) * measurement.framesPerCall)
      / measurement.mean.median
  }

  private var gigabytes: Double {
    Double(model.weightByteCount * shape.sequence) / measurement.mean.median
  }

  private var groupByteCount: Int? {
    shape.streams > 1 ? model.groupByteCount(capacity: shape.streams, threads: shape.threads) : nil
  }

  /// What was measured, in a line.
  var title: String {
    let bits = description.activationBits.map { ", \($0)-bit activations" } ?? ""
    return "\(subject.cell), input \(subject.input), hidden \(subject.hidden), "
      + "\(description.weightNames)\(bits), \(accuracy), \(shape.text), level \(model.level.name)"
  }

  /// The result for people.
  var text: String {
    let median = measurement.mean.median
    let single = measurement.single
    var lines = [
      title, "",
      "median   \(median.fixed(1).padded(to: 12)) ns \(shape.callName), "
        + "\(Int(measurement.framesPerSecond).grouped) frames/s, \(gigaflops.fixed(1)) GFLOP/s, "
        + "\(gigabytes.fixed(1)) GB/s",
      "floor    \(floor.fixed(1).padded(to: 12)) ns; the median is "
        + "\((median / floor).fixed(2)) times that",
    ]
    if let limit {
      lines.append(
        "limit    \(limit.fixed(1).padded(to: 12)) ns; the median is "
          + "\((median / limit).fixed(2)) times that")
    }
    lines += ["", "one by one        call       control"]
    for (name, share) in Self.percentiles {
      let call = single.calls.percentile(share).fixed(0).padded(to: 10)
      let control = single.control.percentile(share).fixed(0).padded(to: 10)
      lines.append("\(name)  \(call) ns \(control) ns")
    }
    lines += [
      "of \(single.calls.sorted.count.grouped) each; reading the clock adds "
        + "\(measurement.clock.fixed(0)) ns to each",
      "",
    ]
    if let cold = measurement.cold?.calls {
      lines.append(
        "cold     \(cold.percentile(0.5).fixed(0).padded(to: 10))   ns median, "
          + "\(cold.percentile(0.99).fixed(0)) ns p99, of \(cold.sorted.count.grouped)")
    } else {
      lines.append("cold     unknown: the caches cannot be emptied here")
    }
    let state =
      groupByteCount.map { "\($0.grouped) bytes of all streams" }
      ?? "\(model.sessionByteCount.grouped) bytes for each stream"
    lines.append("memory   weights \(model.weightByteCount.grouped) bytes, once; state \(state)")
    return lines.joined(separator: "\n")
  }

  private static let percentiles = [
    ("p50     ", 0.5), ("p99     ", 0.99), ("p99.9   ", 0.999), ("p99.99  ", 0.9999),
    ("maximum ", 1),
  ]

  /// The result for programs.
  var json: JSON {
    let single = measurement.single
    let cold = measurement.cold?.calls
    let median = measurement.mean.median
    let number = { (value: Double?) -> JSON in value.map { .number($0) } ?? .null }
    let integer = { (value: Int?) -> JSON in value.map { .integer($0) } ?? .null }
    return .object(
      [
        ("cell", .string(subject.cell)), ("input", .integer(subject.input)),
        ("hidden", .integer(subject.hidden)), ("weights", .string(description.weightNames)),
        ("activationBits", integer(description.activationBits)),
        ("accuracy", .string(accuracy)), ("streams", .integer(shape.streams)),
        ("threads", .integer(shape.threads)), ("sequence", .integer(shape.sequence)),
        ("level", .string(model.level.name)), ("frames", .integer(single.calls.sorted.count)),
        ("medianNs", .number(median)),
        ("framesPerSecond", .number(measurement.framesPerSecond)),
      ] + Self.tail(single.calls) + [
        ("coldMedianNs", number(cold?.percentile(0.5))),
        ("coldP99Ns", number(cold?.percentile(0.99))),
        ("coldFrames", integer(cold?.sorted.count)),
        ("gflops", .number(gigaflops)), ("gbps", .number(gigabytes)),
        ("weightBytes", .integer(model.weightByteCount)),
        ("sessionBytes", .integer(model.sessionByteCount)),
        ("groupBytes", integer(groupByteCount)), ("floorNs", .number(floor)),
        ("limitNs", number(limit)), ("limitRatio", number(limit.map { median / $0 })),
        ("clockNs", .number(measurement.clock)), ("control", .object(Self.tail(single.control))),
      ])
  }

  private static func tail(_ times: Times) -> [(String, JSON)] {
    [
      ("p50Ns", .number(times.percentile(0.5))), ("p99Ns", .number(times.percentile(0.99))),
      ("p999Ns", .number(times.percentile(0.999))),
      ("p9999Ns", .number(times.percentile(0.9999))), ("maxNs", .number(times.maximum)),
    ]
  }
}
