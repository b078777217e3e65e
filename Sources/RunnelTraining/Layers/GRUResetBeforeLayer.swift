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
struct GRUResetBeforeLayer: Layer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "gru" }
  var stateSizes: [Int] { [outputSize] }
  var parameters: [ParameterShape] {
    recurrentParameters(gates: 3, inputSize: inputSize, hiddenSize: outputSize)
  }
  private var projection: Projection {
    Projection(inputSize: inputSize, outputSize: 3 * outputSize)
  }
  private var recurrentStart: Int { 3 * outputSize * inputSize }
  private var candidateStart: Int { recurrentStart + 2 * outputSize * outputSize }
  private var biasStart: Int { recurrentStart + 3 * outputSize * outputSize }

  func keptCount(rows: Int) -> Int { rows * 5 * outputSize }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    let forward =
      Scalar.packedCount(depth: outputSize, columns: 2 * outputSize)
      + Scalar.packedCount(depth: outputSize, columns: outputSize)
    let backward =
      Scalar.packedCount(depth: 2 * outputSize, columns: outputSize)
      + Scalar.packedCount(depth: outputSize, columns: outputSize) + window.streams * outputSize
    return max(
      projection.scratchCount(Scalar.self, rows: window.rows), forward, backward,
      Scalar.scratchCount(depth: window.rows, columns: outputSize))
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
    unsafe projection.forward(
      input: pass.input, output: gates, rows: window.rows, weights: pass.parameters,
      bias: pass.parameters + biasStart, scratch: pass.scratch)
    let candidateWeights = unsafe pass.scratch
    let gateWeights = unsafe candidateWeights + Scalar.packedCount(depth: size, columns: size)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + candidateStart, stride: size), depth: size,
      columns: size, into: candidateWeights)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: size), depth: size,
      columns: 2 &* size, into: gateWeights)
    for frame in 0..<window.frames {
      let active = window.active[frame]
      let start = window.offsets[frame] &* size
      unsafe (previousHidden + start).update(from: hidden, count: active &* size)
      unsafe Scalar.addProduct(
        gates + 3 &* start, stride: 3 &* size, hidden, aStride: size, packed: gateWeights,
        rows: active, columns: 2 &* size, depth: size)
      for stream in 0..<active {
        let row = unsafe gates + 3 &* (start &+ stream &* size)
        let h = unsafe hidden + stream &* size
        let s = unsafe resetHidden + start + stream &* size
        unsafe Scalar.applySigmoid(row, count: 2 &* size)
        for j in 0..<size { unsafe s[j] = row[j] * h[j] }
      }
      unsafe Scalar.addProduct(
        gates + 3 &* start + 2 &* size, stride: 3 &* size,
        resetHidden + start, aStride: size, packed: candidateWeights, rows: active,
        columns: size, depth: size)
      for stream in 0..<active {
        let row = unsafe gates + 3 &* (start &+ stream &* size)
        let h = unsafe hidden + stream &* size
        unsafe Scalar.applyTanh(row + 2 &* size, count: size)
        for j in 0..<size {
          let (z, n) = unsafe (row[size &+ j], row[2 &* size &+ j])
          unsafe h[j] = (1 - z) * n + z * h[j]
        }
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
    let previousHidden = unsafe gates + window.rows &* 3 &* size
    let resetHidden = unsafe previousHidden + window.rows &* size
    let hiddenGradient = unsafe pass.stateGradients
    let resetGradient = unsafe pass.scratch
    let candidateWeights = unsafe resetGradient + window.streams &* size
    let gateWeights = unsafe candidateWeights + Scalar.packedCount(depth: size, columns: size)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + candidateStart, stride: size), depth: size, columns: size,
      into: candidateWeights)
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: size), depth: 2 &* size, columns: size,
      into: gateWeights)
    for frame in (0..<window.frames).reversed() {
      let active = window.active[frame]
      let start = window.offsets[frame] &* size
      for stream in 0..<active {
        let offset = start &+ stream &* size
        let row = unsafe gates + 3 &* offset
        let outputGradient = unsafe pass.outputGradient + offset
        let h = unsafe previousHidden + offset
        let dHidden = unsafe hiddenGradient + stream &* size
        for j in 0..<size {
          let (z, n) = unsafe (row[size &+ j], row[2 &* size &+ j])
          let dh = unsafe dHidden[j] + outputGradient[j]
          unsafe row[size &+ j] = dh * (h[j] - n) * z * (1 - z)
          unsafe row[2 &* size &+ j] = dh * (1 - z) * (1 - n * n)
          unsafe dHidden[j] = dh * z
        }
      }
      unsafe resetGradient.update(repeating: 0, count: active &* size)
      unsafe Scalar.addProduct(
        resetGradient, stride: size,
        gates + 3 &* start + 2 &* size, aStride: 3 &* size, packed: candidateWeights,
        rows: active, columns: size, depth: size)
      for stream in 0..<active {
        let offset = start &+ stream &* size
        let row = unsafe gates + 3 &* offset
        let h = unsafe previousHidden + offset
        let ds = unsafe resetGradient + stream &* size
        let dHidden = unsafe hiddenGradient + stream &* size
        for j in 0..<size {
          let r = unsafe row[j]
          unsafe row[j] = ds[j] * h[j] * r * (1 - r)
          unsafe dHidden[j] += ds[j] * r
        }
      }
      unsafe Scalar.addProduct(
        hiddenGradient, stride: size, gates + 3 &* start, aStride: 3 &* size,
        packed: gateWeights, rows: active, columns: size, depth: 2 &* size)
    }
    unsafe Scalar.addProduct(
      pass.gradients + recurrentStart, stride: size,
      MatrixView(transposing: gates, stride: 3 &* size), MatrixView(previousHidden, stride: size),
      rows: 2 &* size, columns: size, depth: window.rows, scratch: pass.scratch)
    unsafe Scalar.addProduct(
      pass.gradients + candidateStart, stride: size,
      MatrixView(transposing: gates + 2 &* size, stride: 3 &* size),
      MatrixView(resetHidden, stride: size), rows: size, columns: size, depth: window.rows,
      scratch: pass.scratch)
    unsafe projection.backward(
      input: pass.input, outputGradient: gates, inputGradient: pass.inputGradient,
      rows: window.rows, weights: pass.parameters, weightsGradient: pass.gradients,
      biasGradient: pass.gradients + biasStart, scratch: pass.scratch)
  }
}
