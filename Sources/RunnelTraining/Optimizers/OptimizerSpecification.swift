/// How parameters follow their gradients; the definitions are PyTorch's (`torch.optim`), and the
/// learning rate comes from a ``LearningRateSchedule``.
public enum OptimizerSpecification: Equatable, Sendable {
  /// `v = momentum v + g`, `p -= rate v`; no `v` where the momentum is 0.
  case sgd(momentum: Float = 0)
  /// `s = smoothing s + (1 - smoothing) g²`, `p -= rate g / (√s + epsilon)`.
  case rmsprop(smoothing: Float = 0.99, epsilon: Float = 1e-8)
  /// Adam (Kingma and Ba, 2015), with both moments corrected for their start at zero.
  case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
  /// Adam with decoupled weight decay, `p *= 1 - rate decay` (Loshchilov and Hutter, 2019).
  case adamW(
    beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0.01)
}
