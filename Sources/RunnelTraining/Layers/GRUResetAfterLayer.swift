/// A gated recurrent unit whose reset gate acts after the recurrent product (as PyTorch, cuDNN).
///
///     r z n = W x + b                q = U h + [0 0 c]
///     r, z = σ(r + q_r, z + q_z)     n = tanh(n + r q_n)            h' = (1 - z) n + z h
///
///     dn = dh' (1 - z) (1 - n²)      dz = dh' (h - n) z (1 - z)     dr = dn q_n r (1 - r)
///     dq = [dr dz (dn r)]            dh = dh' z + dq U
///
/// Parameters: `W` `[3H, I]`, `U` `[3H, H]`, `b` `[3H]`, `c` `[H]`.
/// Kept: gates `[rows, 3H]`, `q` `[rows, 3H]`, and `h` before each row `[rows, H]`.
struct GRUResetAfterLayer: RecurrentLayer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "gru" }
  var gateCount: Int { 3 }
  var stateSizes: [Int] { [outputSize] }
  var parameters: [ParameterShape] {
    weightParameters + [
      ParameterShape(
        name: "bias", shape: [3 * outputSize],
        start: .uniform(bound: bound, doubled: 2 * outputSize)),
      ParameterShape(name: "candidateBias", shape: [outputSize], start: .uniform(bound: bound)),
    ]
  }
  private var candidateBiasStart: Int { biasStart + 3 * outputSize }

  func keptCount(rows: Int) -> Int { rows * 7 * outputSize }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    let gates = unsafe pass.kept
    let recurrent = unsafe gates + window.rows &* 3 &* size
    let previousHidden = unsafe recurrent + window.rows &* 3 &* size
    let hidden = unsafe pass.states
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepare(pass, scratch: scratch)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: size), depth: size,
      columns: 3 &* size, into: pass.scratch)
    for block in window.blocks(ofRows: projection.forwardBlock) {
      unsafe projection.forward(window.rows(of: block), pass, output: gates, scratch: scratch)
      for frame in block {
        let active = window.active[frame]
        let start = window.offsets[frame] &* size
        unsafe (previousHidden + start).update(from: hidden, count: active &* size)
        for stream in 0..<active {
          let q = unsafe recurrent + 3 &* (start &+ stream &* size)
          unsafe q.update(repeating: 0, count: 2 &* size)
          unsafe (q + 2 &* size).update(from: pass.parameters + candidateBiasStart, count: size)
        }
        unsafe Scalar.addProduct(
          recurrent + 3 &* start, stride: 3 &* size, hidden, aStride: size, packed: pass.scratch,
          rows: active, columns: 3 &* size, depth: size)
        unsafe Scalar.forwardGRU(
          gates: gates + 3 &* start, recurrent: recurrent + 3 &* start, hidden: hidden,
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
    let recurrent = unsafe gates + window.rows &* 3 &* size
    let previousHidden = unsafe recurrent + window.rows &* 3 &* size
    let hiddenGradient = unsafe pass.stateGradients
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepareBackward(pass)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: size), depth: 3 &* size, columns: size,
      into: pass.scratch)
    for block in window.blocks(ofRows: projection.backwardBlock).reversed() {
      let rows = window.rows(of: block)
      for frame in block.reversed() {
        let active = window.active[frame]
        let start = window.offsets[frame] &* size
        unsafe Scalar.backwardGRU(
          gates: gates + 3 &* start, recurrent: recurrent + 3 &* start,
          previousHidden: previousHidden + start, outputGradient: pass.outputGradient + start,
          hiddenGradient: hiddenGradient, rows: active, size: size)
        unsafe Scalar.addProduct(
          hiddenGradient, stride: size, recurrent + 3 &* start, aStride: 3 &* size,
          packed: pass.scratch, rows: active, columns: size, depth: 3 &* size)
      }
      unsafe Scalar.addProduct(
        pass.gradients + recurrentStart, stride: size,
        MatrixView(transposing: recurrent + 3 &* rows.lowerBound &* size, stride: 3 &* size),
        MatrixView(previousHidden + rows.lowerBound &* size, stride: size), rows: 3 &* size,
        columns: size, depth: rows.count, scratch: scratch)
      unsafe Scalar.addRows(
        recurrent + (3 &* rows.lowerBound &+ 2) &* size, stride: 3 &* size, rows: rows.count,
        size: size,
        to: pass.gradients + candidateBiasStart)
      unsafe projection.backward(rows, pass, outputGradient: gates, scratch: scratch)
    }
    unsafe projection.finishBackward(pass, scratch: scratch)
  }
}
