/// `y = W x + b` for rows of a window: a dense layer, and the part of a recurrent layer that does not wait
/// for the frame before.
///
/// Parameters: `W` of shape `[outputSize, inputSize]`, then, elsewhere, `b` of shape `[outputSize]`.
///
/// A pass can go through a window in blocks of frames, so that what is made of a block is still in a cache
/// near the core when it is used.
package struct Projection: Sendable {
  package let inputSize: Int
  package let outputSize: Int
  /// Where `b` begins among the layer's parameters, which begin with `W`.
  package let biasStart: Int

  /// How many rows a block of the forward pass has: some 256 KB of outputs.
  var forwardBlock: Int { max(32, 65_536 / outputSize) }
  /// How many rows a block of the backward pass has: some 512 KB of gradients, and enough of them that
  /// adding to the parameters' gradients costs less than the products.
  var backwardBlock: Int { max(256, 131_072 / outputSize) }

  /// The room for the packed matrices of both passes.
  package func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, rows: Int) -> Int {
    max(
      Scalar.packedCount(depth: inputSize, columns: outputSize),
      Scalar.packedCount(depth: outputSize, columns: inputSize),
      Scalar.scratchCount(rows: outputSize, columns: inputSize, depth: rows))
  }

  /// Prepares ``forward(_:_:output:scratch:)``, which finds what is made here in `scratch`
  /// or in the products of the lookup.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func prepare<Scalar: TrainingScalar>(
    _ pass: ForwardPass<Scalar>, scratch: UnsafeMutablePointer<Scalar>
  ) {
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters, stride: inputSize), depth: inputSize,
      columns: outputSize,
      into: scratch)
    guard let lookup = unsafe pass.lookup else { return }
    unsafe multiply(
      0..<lookup.count, of: lookup.table, into: lookup.products, bias: pass.parameters + biasStart,
      packed: scratch)
  }

  /// `output = input Wᵀ + b` for some rows, with `input` `[rows, I]` and `output` `[rows, O]`.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func forward<Scalar: TrainingScalar>(
    _ rows: Range<Int>, _ pass: ForwardPass<Scalar>, output: UnsafeMutablePointer<Scalar>,
    scratch: UnsafeMutablePointer<Scalar>
  ) {
    guard let lookup = unsafe pass.lookup else {
      unsafe multiply(
        rows, of: pass.input, into: output, bias: pass.parameters + biasStart, packed: scratch)
      return
    }
    for row in rows {
      unsafe (output + row &* outputSize).update(
        from: lookup.product(row, width: outputSize), count: outputSize)
    }
  }

  @inline(__always)
  private func multiply<Scalar: TrainingScalar>(
    _ rows: Range<Int>, of input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>,
    bias: UnsafePointer<Scalar>, packed: UnsafeMutablePointer<Scalar>
  ) {
    for row in rows {
      unsafe (output + row &* outputSize).update(from: bias, count: outputSize)
    }
    unsafe Scalar.addProductOfInput(
      output + rows.lowerBound &* outputSize, stride: outputSize,
      input + rows.lowerBound &* inputSize, aStride: inputSize, packed: packed, rows: rows.count,
      columns: outputSize, depth: inputSize)
  }

  /// `dW += dyᵀ x`, `db += Σ dy`, and, where it is asked for, `dx = dy W`, for some rows.
  ///
  /// With a lookup, gradients of the same row are added up, for ``finishBackward(_:scratch:)``.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func backward<Scalar: TrainingScalar>(
    _ rows: Range<Int>, _ pass: BackwardPass<Scalar>, outputGradient: UnsafePointer<Scalar>,
    scratch: UnsafeMutablePointer<Scalar>
  ) {
    let gradient = unsafe outputGradient + rows.lowerBound &* outputSize
    unsafe Scalar.addRows(
      gradient, stride: outputSize, rows: rows.count, size: outputSize,
      to: pass.gradients + biasStart)
    if let lookup = unsafe pass.lookup {
      for row in rows {
        unsafe Scalar.add(
          outputGradient + row &* outputSize, to: lookup.product(row, width: outputSize),
          count: outputSize)
      }
      return
    }
    unsafe addWeightsGradient(
      pass.input + rows.lowerBound &* inputSize, gradient, rows: rows.count, to: pass.gradients,
      scratch: scratch)
    if let inputGradient = unsafe pass.inputGradient {
      let target = unsafe inputGradient + rows.lowerBound &* inputSize
      unsafe target.update(repeating: 0, count: rows.count &* inputSize)
      unsafe addInputGradient(
        gradient, rows: rows.count, weights: pass.parameters, to: target, scratch: scratch)
    }
  }

  /// Prepares ``backward(_:_:outputGradient:scratch:)``.
  package func prepareBackward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    guard let lookup = unsafe pass.lookup else { return }
    unsafe lookup.products.update(repeating: 0, count: lookup.count &* outputSize)
  }

  /// With a lookup, adds to the gradients of the weights and of the table.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  package func finishBackward<Scalar: TrainingScalar>(
    _ pass: BackwardPass<Scalar>, scratch: UnsafeMutablePointer<Scalar>
  ) {
    guard let lookup = unsafe pass.lookup else { return }
    unsafe addWeightsGradient(
      lookup.table, lookup.products, rows: lookup.count, to: pass.gradients, scratch: scratch)
    unsafe addInputGradient(
      lookup.products, rows: lookup.count, weights: pass.parameters, to: lookup.tableGradient!,
      scratch: scratch)
  }

  @inline(__always)
  private func addWeightsGradient<Scalar: TrainingScalar>(
    _ input: UnsafePointer<Scalar>, _ gradient: UnsafePointer<Scalar>, rows: Int,
    to weightsGradient: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Scalar>
  ) {
    unsafe Scalar.addProduct(
      weightsGradient, stride: inputSize, MatrixView(transposing: gradient, stride: outputSize),
      MatrixView(input, stride: inputSize), rows: outputSize, columns: inputSize, depth: rows,
      scratch: scratch)
  }

  @inline(__always)
  private func addInputGradient<Scalar: TrainingScalar>(
    _ gradient: UnsafePointer<Scalar>, rows: Int, weights: UnsafePointer<Scalar>,
    to inputGradient: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Scalar>
  ) {
    unsafe Scalar.addProduct(
      inputGradient, stride: inputSize, MatrixView(gradient, stride: outputSize),
      MatrixView(weights, stride: inputSize), rows: rows, columns: inputSize, depth: outputSize,
      scratch: scratch)
  }
}
