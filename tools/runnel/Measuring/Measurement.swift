import CMeasuring
import Runnel

/// Everything that `bench` finds out about a workload.
struct Measurement {
  let framesPerCall: Int
  let mean: MeanTime
  /// `nil` where caches cannot be emptied.
  let cold: ColdTimes?
  let single: SingleTimes
  /// What reading the clock adds to each time that was taken one by one.
  let clock: Double

  /// Calls that are timed one by one where nobody says how many.
  private static let defaultCalls = 100_000
  private static let fewestCalls = 1_000
  private static let nanosecondsForCalls = 10e9

  /// Measures.
  ///
  /// - Parameter calls: How many calls are timed one by one, and the most that are timed cold; where it
  ///   is `nil`, 100,000, or fewer if they would take more than ten seconds, but at least 1,000.
  init<W: Workload & ~Copyable>(_ workload: inout W, calls: Int?) throws(StepError) {
    framesPerCall = workload.framesPerCall
    mean = try MeanTime(&workload)
    cold = try ColdTimes(&workload, calls: calls)
    clock = clockNanoseconds()
    let affordable = Int(min(Self.nanosecondsForCalls / mean.median, Double(Self.defaultCalls)))
    single = try SingleTimes(
      &workload, count: calls ?? max(Self.fewestCalls, affordable), clock: clock)
  }

  /// The frames of all streams that a core gets through in a second.
  var framesPerSecond: Double { Double(framesPerCall) * 1e9 / mean.median }
}

extension ModelDescription {
  /// The multiply-adds that the matrices ask for: of several types, those that are fastest, so that
  /// a floor stays one.
  var multiplyAddKind: measuring_kind {
    let types = Set(matrices.map { tensors[$0].type })
    if types.contains(.int8) {
      return activationBits == 8 ? MEASURING_INT8 : MEASURING_INT16
    }
    return types.contains(.bfloat16) ? MEASURING_BFLOAT16 : MEASURING_FLOAT32
  }

  /// The bits of what int8 weights are multiplied by, the fewest of all operations; `nil` where no
  /// weights are int8.
  var activationBits: Int? {
    programs.flatMap(\.operations).filter { operation in
      operation.matrices.contains { tensors[$0].type == .int8 }
    }.map(\.inputBits).min()
  }

  /// Whether an activation is computed the fast way.
  var isFast: Bool { programs.flatMap(\.operations).contains { $0.accuracy == .fast } }
}
