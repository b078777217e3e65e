import Runnel

/// What a model needs to run so many streams at a frame rate on this machine.
struct CapacityPlan {
  let loaded: LoadedModel
  /// Frames of a stream in a second.
  let rate: Double
  let streams: Int
  let measurement: Measurement
  private let floor: MachineFloor
  private let caches = Caches()

  /// The share of a core that is left free, for the rest of the service and for bad moments.
  private static let margin = 0.3

  /// Measures.
  init(_ loaded: LoadedModel, rate: Double, streams: Int, measurement: Measurement) {
    self.loaded = loaded
    self.rate = rate
    self.streams = streams
    self.measurement = measurement
    floor = MachineFloor(
      level: loaded.model.level, bytes: loaded.model.weightByteCount,
      kind: loaded.model.description.multiplyAddKind)
  }

  private var model: Model { loaded.model }
  private var description: ModelDescription { model.description }
  private var multiplyAdds: Int { description.multiplyAdds(program: 0) }
  private var hot: Double { measurement.mean.median }
  private var rare: Double { measurement.single.calls.percentile(0.999) }
  private var cold: Double? { measurement.cold?.calls.percentile(0.5) }
  private var coldRare: Double? { measurement.cold?.calls.percentile(0.99) }

  private var floorNanoseconds: Double {
    floor.nanoseconds(
      bytes: model.weightByteCount, multiplyAdds: description.matrixMultiplyAdds(program: 0))
  }

  private var memoryByteCount: Int { model.weightByteCount + streams * model.sessionByteCount }
  /// Weights and the state of one stream.
  private var workingSet: Int { model.weightByteCount + model.sessionByteCount }

  /// The share of a core that a stream takes, if a frame takes so long.
  private func share(_ nanoseconds: Double) -> Double { rate * nanoseconds / 1e9 }

  /// The streams that a core carries beside the margin, if a frame takes so long.
  private func streamsPerCore(_ nanoseconds: Double) -> Int {
    Int(min(1e15, ((1 - Self.margin) / share(nanoseconds)).rounded(.down)))
  }

  /// The cores for all streams, if a frame takes so long; `nil` where one stream is too much for
  /// one core.
  private func cores(_ nanoseconds: Double) -> Int? {
    let perCore = streamsPerCore(nanoseconds)
    return perCore > 0 ? (streams + perCore - 1) / perCore : nil
  }

  private struct OperationCost {
    let code: String
    let tensors: String
    let multiplyAdds: Int
    let byteCount: Int
  }

  private var operations: [OperationCost] {
    zip(
      description.programs[0].operations, description.multiplyAddsOfOperations(program: 0)
    ).map { operation, multiplyAdds in
      let tensors = operation.tensors.map { description.tensors[$0] }
      return OperationCost(
        code: "\(operation.code)",
        tensors: operation.matrices.map { index in
          "  [" + description.tensors[index].shape.map { "\($0)" }.joined(separator: ", ") + "]"
        }.joined(),
        multiplyAdds: multiplyAdds,
        byteCount: tensors.reduce(0) { $0 + $1.byteCount })
    }
  }

  /// The plan for people.
  var text: String {
    let program = model.programs[0]
    var lines = [
      "\(loaded.path), program \(program.name.escaped), \(rate.short) frames/s, level "
        + "\(model.level.name)",
      "",
      "arithmetic per frame      multiply-adds   bytes in file",
    ]
    for operation in operations {
      lines.append(
        "  \(operation.code.filled(to: 16))\(operation.multiplyAdds.grouped.padded(to: 21))"
          + operation.byteCount.grouped.padded(to: 16) + operation.tensors)
    }
    lines += [
      "  in all          \(multiplyAdds.grouped.padded(to: 21))"
        + "\(operations.reduce(0) { $0 + $1.byteCount }.grouped.padded(to: 16))",
      "",
      "weights      \(model.weightByteCount.grouped) bytes in memory, once for all streams",
      "session      \(model.sessionByteCount.grouped) bytes for each stream",
      "held by      \(caches.holder(of: workingSet)), where weights and a session stay from frame "
        + "to frame",
      "memory       \(memoryByteCount.grouped) bytes for \(streamsText(streams))",
      "",
      "floor        \(floorNanoseconds.fixed(0)) ns a frame "
        + "(\(floor.bytesPerNanosecond.fixed(0)) GB/s of weights, "
        + "\(floor.multiplyAddsPerNanosecond.fixed(0)) multiply-adds a ns, measured here)",
      "hot          \(hot.fixed(0)) ns median, \(rare.fixed(0)) ns p99.9",
    ]
    if let cold, let coldRare {
      lines.append("cold         \(cold.fixed(0)) ns median, \(coldRare.fixed(0)) ns p99")
    } else {
      lines.append("cold         unknown: the caches cannot be emptied here")
    }
    let margin = (100 * Self.margin).fixed(0)
    lines += [
      "", "at \(rate.short) frames/s, with \(margin) % of a core left free",
      "               share of a core    streams per core    cores for \(streamsText(streams))",
    ]
    for (name, time) in times {
      lines.append(
        "  \(name.filled(to: 13))\(percent(share(time)).padded(to: 15))"
          + "\(streamsPerCore(time).grouped.padded(to: 20))"
          + (cores(time)?.grouped ?? "more than one each").padded(to: 21))
    }
    if times.allSatisfy({ share($0.time) > 1 }) {
      lines += ["", "One core is too slow for one stream at this rate."]
    }
    return lines.joined(separator: "\n")
  }

  /// What a frame may take, from the best case to the worst.
  private var times: [(name: String, time: Double)] {
    [("hot median", hot), ("hot p99.9", rare)] + (cold.map { [("cold median", $0)] } ?? [])
  }

  private func streamsText(_ count: Int) -> String {
    count == 1 ? "1 stream" : "\(count.grouped) streams"
  }

  private func percent(_ share: Double) -> String {
    let percent = 100 * share
    return percent >= 0.01 ? percent.fixed(2) + " %" : percent.fixed(5) + " %"
  }

  /// The plan for programs.
  var json: JSON {
    let number = { (value: Double?) -> JSON in value.map { .number($0) } ?? .null }
    let integer = { (value: Int?) -> JSON in value.map { .integer($0) } ?? .null }
    let operations = operations.map { operation -> JSON in
      [
        "code": .string(operation.code), "multiplyAdds": .integer(operation.multiplyAdds),
        "bytes": .integer(operation.byteCount),
      ]
    }
    return [
      "program": .string(model.programs[0].name), "level": .string(model.level.name),
      "rate": .number(rate), "streams": .integer(streams), "margin": .number(Self.margin),
      "operations": .array(operations), "multiplyAdds": .integer(multiplyAdds),
      "weightBytes": .integer(model.weightByteCount),
      "sessionBytes": .integer(model.sessionByteCount),
      "cache": .string(caches.holder(of: workingSet)), "memoryBytes": .integer(memoryByteCount),
      "readGBps": .number(floor.bytesPerNanosecond),
      "multiplyAddsPerNs": .number(floor.multiplyAddsPerNanosecond),
      "floorNs": .number(floorNanoseconds), "medianNs": .number(hot), "p999Ns": .number(rare),
      "coldMedianNs": number(cold), "coldP99Ns": number(coldRare),
      "share": .number(share(hot)), "coldShare": number(cold.map(share)),
      "streamsPerCore": .integer(streamsPerCore(hot)),
      "streamsPerCoreP999": .integer(streamsPerCore(rare)),
      "streamsPerCoreCold": integer(cold.map(streamsPerCore)),
      "cores": integer(cores(rare)),
    ]
  }
}

extension TensorDescription {
  /// The bytes of its numbers and scales in a file.
  fileprivate var byteCount: Int {
    switch storage {
    case .float32(let values): 4 * values.count
    case .float16(let bits), .bfloat16(let bits): 2 * bits.count
    case .int8(let integers, let scales): integers.count + 4 * scales.count
    }
  }
}
