/// Times in nanoseconds that were taken one by one.
struct Times {
  /// In ascending order.
  let sorted: [Int32]

  init(_ times: [Int32]) { sorted = times.sorted() }

  /// The time that a share of them does not exceed.
  func percentile(_ share: Double) -> Double {
    let rank = (share * Double(sorted.count)).rounded(.up)
    return Double(sorted[max(0, min(sorted.count, Int(rank)) - 1)])
  }

  /// The longest.
  var maximum: Double { percentile(1) }
}

extension [Double] {
  /// The middle one; of an even number, the larger of the two in the middle.
  var median: Double { sorted()[count / 2] }
}
