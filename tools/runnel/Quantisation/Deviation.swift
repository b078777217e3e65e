/// How far numbers are from what they should be.
struct Deviation {
  /// The largest absolute difference.
  private(set) var largest = 0.0
  /// The frame in which it is, from 1.
  private(set) var frame = 0
  private var sum = 0.0
  /// The numbers that were compared.
  private(set) var count = 0

  /// Compares a number.
  mutating func compare(_ value: Float, with expected: Double, frame: Int) {
    let difference = (Double(value) - expected).magnitude
    if difference > largest {
      largest = difference
      self.frame = frame
    }
    sum += difference
    count += 1
  }

  /// The mean of the absolute differences.
  var mean: Double { count > 0 ? sum / Double(count) : 0 }
}
