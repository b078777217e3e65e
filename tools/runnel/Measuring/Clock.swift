import Glibc

/// Nanoseconds since some moment in the past, which only ever grow.
func nanoseconds() -> Int {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// What a reading of the clock adds to every time that is taken with two: the median of the
/// differences between one reading and the next.
func clockNanoseconds() -> Double {
  var differences = [Int32](repeating: 0, count: 10_001)
  for index in differences.indices {
    let start = nanoseconds()
    differences[index] = Int32(clamping: nanoseconds() - start)
  }
  return Times(differences).percentile(0.5)
}
