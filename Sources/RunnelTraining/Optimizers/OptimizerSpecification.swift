/// How parameters follow their gradients.
///
/// The definitions are PyTorch's (`torch.optim`); the learning rate comes from a
/// ``LearningRateSchedule``.
public enum OptimizerSpecification: Equatable, Sendable {
  /// `v = momentum v + g`, `p -= rate v`; no `v` where the momentum is 0.
  case sgd(momentum: Double = 0)
  /// `s = smoothing s + (1 - smoothing) g²`, `p -= rate g / (√s + epsilon)`.
  case rmsprop(smoothing: Double = 0.99, epsilon: Double = 1e-8)
  /// Adam (Kingma and Ba, 2015), with both moments corrected for their start at zero.
  case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
  /// Adam with decoupled weight decay, `p *= 1 - rate decay` (Loshchilov and Hutter, 2019).
  case adamW(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01)

  /// Whether all coefficients are in range.
  var isValid: Bool {
    let share = 0.0..<1
    switch self {
    case .sgd(let momentum): return share.contains(momentum)
    case .rmsprop(let smoothing, let epsilon):
      return share.contains(smoothing) && epsilon > 0 && epsilon.isFinite
    case .adam(let beta1, let beta2, let epsilon):
      return share.contains(beta1) && share.contains(beta2) && epsilon > 0 && epsilon.isFinite
    case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      return share.contains(beta1) && share.contains(beta2) && epsilon > 0 && epsilon.isFinite
        && weightDecay >= 0 && weightDecay.isFinite
    }
  }
}
