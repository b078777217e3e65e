#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The learning rate over a run.
public enum LearningRateSchedule: Equatable, Sendable {
  /// The same rate throughout.
  case constant(rate: Double)
  /// `rate` times `factor` for each `epochs` epochs that have passed.
  case step(rate: Double, factor: Double, epochs: Int)
  /// From `rate` to `final` along half a cosine (Loshchilov and Hutter, 2017).
  case cosine(rate: Double, final: Double = 0)
  /// Linear warm-up from 0 over the first share `warmUp` of the run, then half a cosine from `rate`
  /// to `final` over the rest.
  case warmUpCosine(rate: Double, warmUp: Double, final: Double = 0)
  /// One cycle: half a cosine from `peak / 25` up to `peak` over the first share `warmUp` of the
  /// run, then half a cosine down to `peak / 250000` (Smith and Topin, 2018; PyTorch's `OneCycleLR`).
  case oneCycle(peak: Double, warmUp: Double = 0.3)

  /// The rate at a point of the run.
  ///
  /// - Parameters:
  ///   - fraction: How much of the run is done, from 0 to 1.
  ///   - epoch: How many epochs are done.
  public func rate(fraction: Double, epoch: Int) -> Double {
    switch self {
    case .constant(let rate): return rate
    case .step(let rate, let factor, let epochs): return rate * pow(factor, Double(epoch / epochs))
    case .cosine(let rate, let final): return Self.cosine(from: rate, to: final, fraction)
    case .warmUpCosine(let rate, let warmUp, let final):
      guard fraction >= warmUp else { return rate * fraction / warmUp }
      return Self.cosine(from: rate, to: final, (fraction - warmUp) / (1 - warmUp))
    case .oneCycle(let peak, let warmUp):
      guard fraction >= warmUp else {
        return Self.cosine(from: peak / 25, to: peak, fraction / warmUp)
      }
      return Self.cosine(from: peak, to: peak / 250_000, (fraction - warmUp) / (1 - warmUp))
    }
  }

  private static func cosine(from start: Double, to end: Double, _ fraction: Double) -> Double {
    end + (start - end) * (1 + cos(.pi * fraction)) / 2
  }

  /// Whether all rates and shares are in range.
  var isValid: Bool {
    func isRate(_ rate: Double) -> Bool { rate >= 0 && rate.isFinite }
    switch self {
    case .constant(let rate): return isRate(rate)
    case .step(let rate, let factor, let epochs):
      return isRate(rate) && isRate(factor) && epochs >= 1
    case .cosine(let rate, let final): return isRate(rate) && isRate(final)
    case .warmUpCosine(let rate, let warmUp, let final):
      return isRate(rate) && isRate(final) && (0..<1).contains(warmUp)
    case .oneCycle(let peak, let warmUp): return isRate(peak) && (0..<1).contains(warmUp)
    }
  }
}
