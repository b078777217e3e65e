internal import Runnel

/// A vanilla (Elman) RNN.
///
///     h' = f(W x + U h + b)          da = dh' f'(h'),  dh = da U
///
/// Parameters: `W` `[H, I]`, `U` `[H, H]`, `b` `[H]`. Kept: `h` before each row, `[rows, H]`.
struct RNNLayer: RecurrentLayer {
  let inputSize: Int
  let outputSize: Int
  let activation: ModelOperation.RNNActivation

  var kind: String { "rnn" }
  var gateCount: Int { 1 }
  var stateSizes: [Int] { [outputSize] }

  func keptCount(rows: Int) -> Int { rows * outputSize }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let hiddenSize = outputSize
    let window = unsafe pass.window
    let hidden = unsafe pass.states
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepare(pass, scratch: scratch)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: hiddenSize),
      depth: hiddenSize, columns: hiddenSize, into: pass.scratch)
    for block in window.blocks(ofRows: projection.forwardBlock) {
      unsafe projection.forward(window.rows(of: block), pass, output: pass.output, scratch: scratch)
      for frame in block {
        let count = window.active[frame] &* hiddenSize
        let start = window.offsets[frame] &* hiddenSize
        let output = unsafe pass.output + start
        unsafe (pass.kept + start).update(from: hidden, count: count)
        unsafe Scalar.addProduct(
          output, stride: hiddenSize, hidden, aStride: hiddenSize, packed: pass.scratch,
          rows: window.active[frame], columns: hiddenSize, depth: hiddenSize)
        unsafe Scalar.forwardRNN(
          output: output, hidden: hidden, isTanh: activation == .tanh, count: count)
      }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    let hiddenSize = outputSize
    let window = unsafe pass.window
    let hiddenGradient = unsafe pass.stateGradients
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepareBackward(pass)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: hiddenSize), depth: hiddenSize,
      columns: hiddenSize, into: pass.scratch)
    for block in window.blocks(ofRows: projection.backwardBlock).reversed() {
      let rows = window.rows(of: block)
      for frame in block.reversed() {
        let count = window.active[frame] &* hiddenSize
        let start = window.offsets[frame] &* hiddenSize
        let output = unsafe pass.output + start
        let gradient = unsafe pass.outputGradient + start
        unsafe Scalar.backwardRNN(
          output: output, outputGradient: gradient, hiddenGradient: hiddenGradient,
          isTanh: activation == .tanh, count: count)
        unsafe Scalar.addProduct(
          hiddenGradient, stride: hiddenSize, gradient, aStride: hiddenSize, packed: pass.scratch,
          rows: window.active[frame], columns: hiddenSize, depth: hiddenSize)
      }
      unsafe Scalar.addProduct(
        pass.gradients + recurrentStart, stride: hiddenSize,
        MatrixView(
          transposing: pass.outputGradient + rows.lowerBound &* hiddenSize, stride: hiddenSize),
        MatrixView(pass.kept + rows.lowerBound &* hiddenSize, stride: hiddenSize),
        rows: hiddenSize, columns: hiddenSize, depth: rows.count, scratch: scratch)
      unsafe projection.backward(rows, pass, outputGradient: pass.outputGradient, scratch: scratch)
    }
    unsafe projection.finishBackward(pass, scratch: scratch)
  }
}
