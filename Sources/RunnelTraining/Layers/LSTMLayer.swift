/// A long short-term memory (Hochreiter and Schmidhuber, 1997; with forget gate, as PyTorch).
///
///     i f g o = W x + U h + b        i, f, o = σ(i, f, o),  g = tanh(g)
///     c' = f c + i g                 h' = o tanh(c')
///
///     do = dh' tanh(c') o (1 - o)    dc' += dh' o (1 - tanh(c')²)
///     di = dc' g i (1 - i)           df = dc' c f (1 - f)           dg = dc' i (1 - g²)
///     dc = dc' f                     dh = [di df dg do] U
///
/// Parameters: `W` `[4H, I]`, `U` `[4H, H]`, `b` `[4H]`.
/// Kept: gates `[rows, 4H]`, then `h`, `c` before each row and `tanh(c')`, `[rows, H]` each.
struct LSTMLayer: RecurrentLayer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "lstm" }
  var gateCount: Int { 4 }
  var stateSizes: [Int] { [outputSize, outputSize] }

  func keptCount(rows: Int) -> Int { rows * 7 * outputSize }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    let gates = unsafe pass.kept
    let previousHidden = unsafe gates + window.rows &* 4 &* size
    let previousCell = unsafe previousHidden + window.rows &* size
    let cellTanh = unsafe previousCell + window.rows &* size
    let hidden = unsafe pass.states
    let cell = unsafe hidden + window.streams &* size
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepare(pass, scratch: scratch)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: size), depth: size,
      columns: 4 &* size, into: pass.scratch)
    for block in window.blocks(ofRows: projection.forwardBlock) {
      unsafe projection.forward(window.rows(of: block), pass, output: gates, scratch: scratch)
      for frame in block {
        let active = window.active[frame]
        let start = window.offsets[frame] &* size
        unsafe (previousHidden + start).update(from: hidden, count: active &* size)
        unsafe (previousCell + start).update(from: cell, count: active &* size)
        unsafe Scalar.addProduct(
          gates + 4 &* start, stride: 4 &* size, hidden, aStride: size, packed: pass.scratch,
          rows: active, columns: 4 &* size, depth: size)
        unsafe Scalar.forwardLSTM(
          gates: gates + 4 &* start, cell: cell, cellTanh: cellTanh + start, hidden: hidden,
          output: pass.output + start, rows: active, size: size)
      }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    let gates = unsafe pass.kept
    let previousHidden = unsafe gates + window.rows &* 4 &* size
    let previousCell = unsafe previousHidden + window.rows &* size
    let cellTanh = unsafe previousCell + window.rows &* size
    let hiddenGradient = unsafe pass.stateGradients
    let cellGradient = unsafe hiddenGradient + window.streams &* size
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepareBackward(pass)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: size), depth: 4 &* size, columns: size,
      into: pass.scratch)
    for block in window.blocks(ofRows: projection.backwardBlock).reversed() {
      let rows = window.rows(of: block)
      for frame in block.reversed() {
        let active = window.active[frame]
        let start = window.offsets[frame] &* size
        unsafe Scalar.backwardLSTM(
          gates: gates + 4 &* start, previousCell: previousCell + start, cellTanh: cellTanh + start,
          outputGradient: pass.outputGradient + start, hiddenGradient: hiddenGradient,
          cellGradient: cellGradient, rows: active, size: size)
        unsafe Scalar.addProduct(
          hiddenGradient, stride: size, gates + 4 &* start, aStride: 4 &* size,
          packed: pass.scratch, rows: active, columns: size, depth: 4 &* size)
      }
      unsafe Scalar.addProduct(
        pass.gradients + recurrentStart, stride: size,
        MatrixView(transposing: gates + 4 &* rows.lowerBound &* size, stride: 4 &* size),
        MatrixView(previousHidden + rows.lowerBound &* size, stride: size), rows: 4 &* size,
        columns: size, depth: rows.count, scratch: scratch)
      unsafe projection.backward(rows, pass, outputGradient: gates, scratch: scratch)
    }
    unsafe projection.finishBackward(pass, scratch: scratch)
  }
}
