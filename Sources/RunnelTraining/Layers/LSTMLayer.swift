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
struct LSTMLayer: Layer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "lstm" }
  var stateSizes: [Int] { [outputSize, outputSize] }
  var parameters: [ParameterShape] {
    recurrentParameters(gates: 4, inputSize: inputSize, hiddenSize: outputSize)
  }
  private var projection: Projection {
    Projection(inputSize: inputSize, outputSize: 4 * outputSize)
  }
  private var recurrentStart: Int { 4 * outputSize * inputSize }
  private var biasStart: Int { recurrentStart + 4 * outputSize * outputSize }

  func keptCount(rows: Int) -> Int { rows * 7 * outputSize }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    max(
      projection.scratchCount(Scalar.self, rows: window.rows),
      Scalar.packedCount(depth: outputSize, columns: 4 * outputSize),
      Scalar.packedCount(depth: 4 * outputSize, columns: outputSize),
      Scalar.scratchCount(depth: window.rows, columns: outputSize))
  }

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
    unsafe projection.forward(
      input: pass.input, output: gates, rows: window.rows, weights: pass.parameters,
      bias: pass.parameters + biasStart, scratch: pass.scratch)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: size), depth: size,
      columns: 4 &* size, into: pass.scratch)
    for frame in 0..<window.frames {
      let active = window.active[frame]
      let start = window.offsets[frame] &* size
      unsafe (previousHidden + start).update(from: hidden, count: active &* size)
      unsafe (previousCell + start).update(from: cell, count: active &* size)
      unsafe Scalar.addProduct(
        gates + 4 &* start, stride: 4 &* size, hidden, aStride: size, packed: pass.scratch,
        rows: active, columns: 4 &* size, depth: size)
      for stream in 0..<active {
        let row = unsafe gates + 4 &* (start &+ stream &* size)
        unsafe Scalar.applySigmoid(row, count: 2 &* size)
        unsafe Scalar.applyTanh(row + 2 &* size, count: size)
        unsafe Scalar.applySigmoid(row + 3 &* size, count: size)
        let c = unsafe cell + stream &* size
        let squashed = unsafe cellTanh + start + stream &* size
        for j in 0..<size {
          let (i, f, g) = unsafe (row[j], row[size &+ j], row[2 &* size &+ j])
          unsafe c[j] = f * c[j] + i * g
          unsafe squashed[j] = c[j]
        }
        unsafe Scalar.applyTanh(squashed, count: size)
        let h = unsafe hidden + stream &* size
        for j in 0..<size { unsafe h[j] = row[3 &* size &+ j] * squashed[j] }
      }
      unsafe (pass.output + start).update(from: hidden, count: active &* size)
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
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: size), depth: 4 &* size, columns: size,
      into: pass.scratch)
    for frame in (0..<window.frames).reversed() {
      let active = window.active[frame]
      let start = window.offsets[frame] &* size
      for stream in 0..<active {
        let offset = start &+ stream &* size
        let row = unsafe gates + 4 &* offset
        let outputGradient = unsafe pass.outputGradient + offset
        let c = unsafe previousCell + offset
        let squashed = unsafe cellTanh + offset
        let dHidden = unsafe hiddenGradient + stream &* size
        let dCell = unsafe cellGradient + stream &* size
        for j in 0..<size {
          let (i, f) = unsafe (row[j], row[size &+ j])
          let (g, o) = unsafe (row[2 &* size &+ j], row[3 &* size &+ j])
          let tanhCell = unsafe squashed[j]
          let dh = unsafe dHidden[j] + outputGradient[j]
          let dc = unsafe dCell[j] + dh * o * (1 - tanhCell * tanhCell)
          unsafe row[j] = dc * g * i * (1 - i)
          unsafe row[size &+ j] = dc * c[j] * f * (1 - f)
          unsafe row[2 &* size &+ j] = dc * i * (1 - g * g)
          unsafe row[3 &* size &+ j] = dh * tanhCell * o * (1 - o)
          unsafe dCell[j] = dc * f
          unsafe dHidden[j] = 0
        }
      }
      unsafe Scalar.addProduct(
        hiddenGradient, stride: size, gates + 4 &* start, aStride: 4 &* size,
        packed: pass.scratch, rows: active, columns: size, depth: 4 &* size)
    }
    unsafe Scalar.addProduct(
      pass.gradients + recurrentStart, stride: size,
      MatrixView(transposing: gates, stride: 4 &* size), MatrixView(previousHidden, stride: size),
      rows: 4 &* size, columns: size, depth: window.rows, scratch: pass.scratch)
    unsafe projection.backward(
      input: pass.input, outputGradient: gates, inputGradient: pass.inputGradient,
      rows: window.rows, weights: pass.parameters, weightsGradient: pass.gradients,
      biasGradient: pass.gradients + biasStart, scratch: pass.scratch)
  }
}
