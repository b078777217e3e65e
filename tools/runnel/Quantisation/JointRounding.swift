/// Rounds the weights of a row to multiples of their steps so that the errors cancel in the
/// products with vectors as they come, and not each by itself.
///
/// With the second moments H of the vectors around their mean, a row's mean squared error is eᵀ H e
/// for its weights' errors e: the error's mean goes to the bias. By H = L Lᵀ that is Σᵢ (Lᵢᵢ eᵢ +
/// Σⱼ Lⱼᵢ eⱼ)², j > i. From the last weight to the first, each takes the multiple that makes its
/// term the smallest, given those behind it: Babai's nearest plane, which GPTQ (Frantar and others,
/// 2022) computes from the inverse.
struct JointRounding {
  private let count: Int
  /// The weights in the order of the factor, and the factor, row-major: [count, count].
  private let order: [Int]
  private let factor: [Double]

  /// What a matrix is damped by, as a share of its mean diagonal: what the vectors do not tell
  /// apart counts a little all the same.
  private static let damping = 1e-3

  /// - Parameters:
  ///   - moments: H, shape `[count, count]`.
  ///   - steps: What the weights become multiples of; 0 where they all are zeros.
  init(moments: [Double], steps: [Double]) {
    let count = steps.count
    precondition(moments.count == count * count)
    let diagonal = (0..<count).map { moments[$0 * count + $0] }
    let damping = max(Self.damping * diagonal.reduce(0, +) / Double(count), 0x1p-100)
    // The weights whose rounding costs most come first in time, and so last in the order.
    let cost = (0..<count).map { (diagonal[$0] + damping) * steps[$0] * steps[$0] }
    let order = (0..<count).sorted { (cost[$0], $0) < (cost[$1], $1) }
    var factor = [Double](repeating: 0, count: count * count)
    for row in 0..<count {
      for column in 0...row {
        var sum = moments[order[row] * count + order[column]]
        if row == column { sum += damping }
        for k in 0..<column { sum -= factor[row * count + k] * factor[column * count + k] }
        // What rounding in Double leaves of a positive number may not be one.
        factor[row * count + column] =
          row == column
          ? max(sum, 1e-6 * damping).squareRoot() : sum / factor[column * count + column]
      }
    }
    (self.count, self.order, self.factor) = (count, order, factor)
  }

  /// The multiples for some weights.
  ///
  /// - Parameter limits: The largest magnitudes of the multiples.
  func callAsFunction(_ weights: [Double], steps: [Double], limits: [Int]) -> [Int] {
    var multiples = [Int](repeating: 0, count: count)
    // Σⱼ Lⱼᵢ eⱼ for each i.
    var sums = [Double](repeating: 0, count: count)
    for place in (0..<count).reversed() {
      let index = order[place]
      guard steps[index] > 0 else { continue }
      let wanted = weights[index] - sums[place] / factor[place * count + place]
      let limit = Double(limits[index])
      let multiple = min(limit, max(-limit, (wanted / steps[index]).rounded(.toNearestOrEven)))
      multiples[index] = Int(multiple)
      let error = multiple * steps[index] - weights[index]
      for earlier in 0..<place { sums[earlier] += factor[place * count + earlier] * error }
    }
    return multiples
  }
}
