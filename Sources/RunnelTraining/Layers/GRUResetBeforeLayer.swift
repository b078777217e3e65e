/// A gated recurrent unit whose reset gate acts before the recurrent product (Cho and others, 2014).
///
///     r z n = W x + b
///     r, z = σ([r z] + U_rz h)       n = tanh(n + U_n (r h))        h' = (1 - z) n + z h
///
///     dn = dh' (1 - z) (1 - n²)      dz = dh' (h - n) z (1 - z)     ds = dn U_n
///     dr = ds h r (1 - r)            dh = dh' z + ds r + [dr dz] U_rz
///
/// Parameters: `W` `[3H, I]`, `U` `[3H, H]`, `b` `[3H]`.
/// Kept: gates `[rows, 3H]`, then `h` before each row and `s = r h`, `[rows, H]` each.
struct GRUResetBeforeLayer: RecurrentLayer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "gru" }
  var gateCount: Int { 3 }
  var stateSizes: [Int] { [outputSize] }
  private var candidateStart: Int { recurrentStart + 2 * outputSize * outputSize }

  func keptCount(rows: Int) -> Int { rows * 5 * outputSize }

  /// The room for the packed recurrent weights of either pass: the candidate's, then the gates'.
  func packedCount<Scalar: TrainingScalar>(_: Scalar.Type) -> Int {
    Scalar.packedCount(depth: outputSize, columns: outputSize)
      + max(
        Scalar.packedCount(depth: outputSize, columns: 2 * outputSize),
        Scalar.packedCount(depth: 2 * outputSize, columns: outputSize))
  }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    packedCount(Scalar.self) + window.streams * outputSize
      + max(
        projection.scratchCount(Scalar.self, rows: window.rows),
        Scalar.scratchCount(rows: 2 * outputSize, columns: outputSize, depth: window.rows))
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    let gates = unsafe pass.kept
    let previousHidden = unsafe gates + window.rows &* 3 &* size
    let resetHidden = unsafe previousHidden + window.rows &* size
    let hidden = unsafe pass.states
    let scratch = unsafe pass.scratch + packedCount(Scalar.self)
    unsafe projection.prepare(pass, scratch: scratch)
    let candidateWeights = unsafe pass.scratch
    let gateWeights = unsafe candidateWeights + Scalar.packedCount(depth: size, columns: size)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + candidateStart, stride: size), depth: size,
      columns: size, into: candidateWeights)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: size), depth: size,
      columns: 2 &* size, into: gateWeights)
    for block in window.blocks(ofRows: projection.forwardBlock) {
      unsafe projection.forward(window.rows(of: block), pass, output: gates, scratch: scratch)
      for frame in block {
        let active = window.active[frame]
        let start = window.offsets[frame] &* size
        unsafe (previousHidden + start).update(from: hidden, count: active &* size)
        unsafe Scalar.addProduct(
          gates + 3 &* start, stride: 3 &* size, hidden, aStride: size, packed: gateWeights,
          rows: active, columns: 2 &* size, depth: size)
        unsafe Scalar.resetGRU(
          gates: gates + 3 &* start, hidden: hidden, resetHidden: resetHidden + start, rows: active,
          size: size)
        unsafe Scalar.addProduct(
          gates + 3 &* start + 2 &* size, stride: 3 &* size,
          resetHidden + start, aStride: size, packed: candidateWeights, rows: active,
          columns: size, depth: size)
        unsafe Scalar.updateGRU(
          gates: gates + 3 &* start, hidden: hidden, output: pass.output + start, rows: active,
          size: size)
      }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    let gates = unsafe pass.kept
    let previousHidden = unsafe gates + window.rows &* 3 &* size
    let resetHidden = unsafe previousHidden + window.rows &* size
    let hiddenGradient = unsafe pass.stateGradients
    let candidateWeights = unsafe pass.scratch
    let resetGradient = unsafe pass.scratch + packedCount(Scalar.self)
    let gateWeights = unsafe candidateWeights + Scalar.packedCount(depth: size, columns: size)
    let scratch = unsafe pass.scratch + packedCount(Scalar.self) + window.streams &* size
    unsafe projection.prepareBackward(pass)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + candidateStart, stride: size), depth: size, columns: size,
      into: candidateWeights)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: size), depth: 2 &* size, columns: size,
      into: gateWeights)
    for block in window.blocks(ofRows: projection.backwardBlock).reversed() {
      let rows = window.rows(of: block)
      for frame in block.reversed() {
        let active = window.active[frame]
        let start = window.offsets[frame] &* size
        unsafe Scalar.updateGRUBackward(
          gates: gates + 3 &* start, previousHidden: previousHidden + start,
          outputGradient: pass.outputGradient + start, hiddenGradient: hiddenGradient,
          rows: active, size: size)
        unsafe resetGradient.update(repeating: 0, count: active &* size)
        unsafe Scalar.addProduct(
          resetGradient, stride: size,
          gates + 3 &* start + 2 &* size, aStride: 3 &* size, packed: candidateWeights,
          rows: active, columns: size, depth: size)
        unsafe Scalar.resetGRUBackward(
          gates: gates + 3 &* start, previousHidden: previousHidden + start,
          resetGradient: resetGradient, hiddenGradient: hiddenGradient, rows: active, size: size)
        unsafe Scalar.addProduct(
          hiddenGradient, stride: size, gates + 3 &* start, aStride: 3 &* size,
          packed: gateWeights, rows: active, columns: size, depth: 2 &* size)
      }
      unsafe Scalar.addProduct(
        pass.gradients + recurrentStart, stride: size,
        MatrixView(transposing: gates + 3 &* rows.lowerBound &* size, stride: 3 &* size),
        MatrixView(previousHidden + rows.lowerBound &* size, stride: size), rows: 2 &* size,
        columns: size, depth: rows.count, scratch: scratch)
      unsafe Scalar.addProduct(
        pass.gradients + candidateStart, stride: size,
        MatrixView(
          transposing: gates + (3 &* rows.lowerBound &+ 2) &* size, stride: 3 &* size),
        MatrixView(resetHidden + rows.lowerBound &* size, stride: size), rows: size,
        columns: size, depth: rows.count, scratch: scratch)
      unsafe projection.backward(rows, pass, outputGradient: gates, scratch: scratch)
    }
    unsafe projection.finishBackward(pass, scratch: scratch)
  }
}
