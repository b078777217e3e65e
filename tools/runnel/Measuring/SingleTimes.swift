import CMeasuring
import Runnel

/// How long calls take one by one, beside a control: arithmetic that touches no memory, as long as
/// the median call, timed the same way in the same run.
///
/// What interrupts the calls (the system, a neighbour on the same machine) interrupts the control as
/// often, so that the two tails can be told apart.
struct SingleTimes {
  let calls: Times
  let control: Times

  /// Calls and controls take turns in blocks of this many, so that both meet the same weather.
  private static let block = 256

  /// Measures.
  ///
  /// - Parameters:
  ///   - count: The number of calls, and of controls.
  ///   - clock: What reading the clock adds to a time.
  init<W: Workload & ~Copyable>(
    _ workload: inout W, count: Int, clock: Double
  ) throws(StepError) {
    var calls = [Int32](repeating: 0, count: count)
    var control = [Int32](repeating: 0, count: count)
    let trial = min(count, Self.block)
    for index in 0..<trial { calls[index] = try Self.time(&workload) }
    let rounds = Self.rounds(nanoseconds: Times(Array(calls[..<trial])).percentile(0.5) - clock)
    var sum: UInt64 = 0
    for first in stride(from: 0, to: count, by: Self.block) {
      let block = first..<min(count, first + Self.block)
      for index in block { calls[index] = try Self.time(&workload) }
      for index in block {
        let start = nanoseconds()
        sum &+= measuring_spin(rounds)
        control[index] = Int32(clamping: nanoseconds() - start)
      }
    }
    self.calls = Times(calls)
    self.control = Times(control)
    withExtendedLifetime(sum) {}
  }

  private static func time<W: Workload & ~Copyable>(
    _ workload: inout W
  ) throws(StepError) -> Int32 {
    let start = nanoseconds()
    try workload.call()
    return Int32(clamping: nanoseconds() - start)
  }

  /// The rounds of the control that fill a time.
  private static func rounds(nanoseconds length: Double) -> UInt64 {
    // The shortest of several: what nothing interrupted.
    func time(_ rounds: UInt64) -> Int {
      (0..<25).map { _ in
        let start = nanoseconds()
        let sum = measuring_spin(rounds)
        return withExtendedLifetime(sum) { nanoseconds() - start }
      }.min()!
    }
    // Two lengths, so that what a call and the clock take by themselves drops out.
    let (short, long): (UInt64, UInt64) = (2_000, 22_000)
    let round = Double(time(long) - time(short)) / Double(long - short)
    return UInt64(max(1, (length / max(round, 0.01)).rounded()))
  }
}
