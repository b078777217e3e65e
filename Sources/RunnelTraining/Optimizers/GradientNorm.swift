/// The norm of gradients over all parameters, summed in Double.
@specialized(where Scalar == Float)
package func gradientNorm<Scalar: TrainingScalar>(
  _ gradients: UnsafePointer<Scalar>, count: Int
) -> Double {
  unsafe Scalar.sumOfSquares(gradients, count: count).squareRoot()
}

/// Scales gradients down so that their norm over all parameters is at most `limit`, as
/// `torch.nn.utils.clip_grad_norm_` (Pascanu, Mikolov and Bengio, 2013).
@specialized(where Scalar == Float)
package func clip<Scalar: TrainingScalar>(
  _ gradients: UnsafeMutablePointer<Scalar>, count: Int, norm: Double, limit: Double
) {
  let factor = limit / (norm + 1e-6)
  guard factor < 1 else { return }
  for i in 0..<count { unsafe gradients[i] *= Scalar(factor) }
}
