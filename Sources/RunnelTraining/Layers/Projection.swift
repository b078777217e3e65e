/// `y = W x + b` for all rows of a window at once: a dense layer, and the part of a recurrent layer
/// that does not wait for the frame before.
///
/// Parameters: `W` of shape `[outputSize, inputSize]`, then, elsewhere, `b` of shape `[outputSize]`.
package struct Projection: Sendable {
  package let inputSize: Int
  package let outputSize: Int

  /// The room for the packed matrices of both passes.
  package func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, rows: Int) -> Int {
    max(
      Scalar.scratchCount(rows: rows, columns: outputSize, depth: inputSize),
      Scalar.scratchCount(rows: rows, columns: inputSize, depth: outputSize),
      Scalar.scratchCount(rows: outputSize, columns: inputSize, depth: rows))
  }

  /// `output = input Wᵀ + b`, with `input` `[rows, I]` and `output` `[rows, O]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func forward<Scalar: TrainingScalar>(
    input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>, rows: Int,
    weights: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>,
    scratch: UnsafeMutablePointer<Scalar>
  ) {
    for row in 0..<rows {
      unsafe (output + row &* outputSize).update(from: bias, count: outputSize)
    }
    unsafe Scalar.addProduct(
      output, stride: outputSize, MatrixView(input, stride: inputSize),
      MatrixView(transposing: weights, stride: inputSize), rows: rows, columns: outputSize,
      depth: inputSize, scratch: scratch)
  }

  /// `dW += dyᵀ x`, `db += Σ dy`, and, where it is asked for, `dx = dy W`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func backward<Scalar: TrainingScalar>(
    input: UnsafePointer<Scalar>, outputGradient: UnsafePointer<Scalar>,
    inputGradient: UnsafeMutablePointer<Scalar>?, rows: Int, weights: UnsafePointer<Scalar>,
    weightsGradient: UnsafeMutablePointer<Scalar>, biasGradient: UnsafeMutablePointer<Scalar>,
    scratch: UnsafeMutablePointer<Scalar>
  ) {
    unsafe Scalar.addProduct(
      weightsGradient, stride: inputSize,
      MatrixView(transposing: outputGradient, stride: outputSize),
      MatrixView(input, stride: inputSize), rows: outputSize, columns: inputSize, depth: rows,
      scratch: scratch)
    unsafe Scalar.addRows(
      outputGradient, stride: outputSize, rows: rows, size: outputSize, to: biasGradient)
    if let inputGradient = unsafe inputGradient {
      unsafe inputGradient.update(repeating: 0, count: rows &* inputSize)
      unsafe Scalar.addProduct(
        inputGradient, stride: inputSize, MatrixView(outputGradient, stride: outputSize),
        MatrixView(weights, stride: inputSize), rows: rows, columns: inputSize, depth: outputSize,
        scratch: scratch)
    }
  }
}
