/// Inverted dropout (Srivastava and others, 2014): `y = m x`, `dx = m dy`, where each `m` is 0 with
/// probability `rate` and else `1 / (1 - rate)`; 1 when the network is not being trained.
///
/// Kept: `m` `[rows, size]`.
struct DropoutLayer: Layer {
  let size: Int
  let rate: Float

  var kind: String { "dropout" }
  var inputSize: Int { size }
  var outputSize: Int { size }

  func keptCount(rows: Int) -> Int { rows * size }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let count = unsafe pass.window.rows &* size
    if let random = unsafe pass.random {
      let scale = 1 / (1 - Scalar(rate))
      let threshold = Double(rate)
      for i in 0..<count {
        unsafe pass.kept[i] = random.pointee.uniform() < threshold ? 0 : scale
      }
    } else {
      unsafe pass.kept.update(repeating: 1, count: count)
    }
    for i in 0..<count { unsafe pass.output[i] = pass.input[i] * pass.kept[i] }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    guard let gradient = unsafe pass.inputGradient else { return }
    let count = unsafe pass.window.rows &* size
    for i in 0..<count { unsafe gradient[i] = pass.outputGradient[i] * pass.kept[i] }
  }
}
