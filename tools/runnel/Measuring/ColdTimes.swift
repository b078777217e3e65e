import CMeasuring
import Runnel

/// How long calls take that find nothing in the caches, as in a service that does much else between
/// two frames: weights, state, frames and code come from memory.
///
/// The translation of addresses and the prediction of branches stay warm.
struct ColdTimes {
  let calls: Times

  private static let most = 1_000
  private static let fewest = 20
  private static let nanosecondsInAll = 2_000_000_000

  /// Measures as many calls as two seconds allow, at least 20, at most 1,000, and none beyond `calls`.
  ///
  /// - Returns: `nil` where caches cannot be emptied.
  init?<W: Workload & ~Copyable>(_ workload: inout W, calls most: Int?) throws(StepError) {
    let most = min(Self.most, most ?? Self.most)
    var times: [Int32] = []
    times.reserveCapacity(most)
    let begin = nanoseconds()
    while times.count < most,
      times.count < Self.fewest || nanoseconds() - begin < Self.nanosecondsInAll
    {
      guard measuring_flush_process() > 0 else { return nil }
      // The clock's own code and data are no part of the call.
      _ = nanoseconds()
      let start = nanoseconds()
      try workload.call()
      times.append(Int32(clamping: nanoseconds() - start))
    }
    calls = Times(times)
  }
}
