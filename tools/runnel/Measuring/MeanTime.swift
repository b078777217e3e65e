import Runnel

/// How long a call takes when it follows its like, without a look at the clock in between.
struct MeanTime {
  /// The median over runs of a run's mean nanoseconds a call.
  let median: Double

  private static let runs = 11
  private static let runNanoseconds = 20_000_000

  /// Measures; the first run warms up and finds how many calls fill a run.
  init<W: Workload & ~Copyable>(_ workload: inout W) throws(StepError) {
    var count = 1
    while try Self.run(count, &workload) < Self.runNanoseconds { count *= 2 }
    var means: [Double] = []
    for _ in 0..<Self.runs {
      means.append(Double(try Self.run(count, &workload)) / Double(count))
    }
    median = means.median
  }

  private static func run<W: Workload & ~Copyable>(
    _ count: Int, _ workload: inout W
  ) throws(StepError) -> Int {
    let start = nanoseconds()
    for _ in 0..<count { try workload.call() }
    return nanoseconds() - start
  }
}
