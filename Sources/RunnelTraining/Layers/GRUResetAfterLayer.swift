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
struct GRUResetAfterLayer: Layer {
  let inputSize: Int
  let outputSize: Int

  var kind: String { "gru" }
  var stateSizes: [Int] { [outputSize] }
  var parameters: [ParameterShape] {
    let bound = 1 / Double(outputSize).squareRoot()
    var shapes = recurrentParameters(gates: 3, inputSize: inputSize, hiddenSize: outputSize)
    shapes[2] = ParameterShape(
      name: "bias", shape: [3 * outputSize],
      start: .uniform(bound: bound, doubled: 2 * outputSize))
    shapes.append(
      ParameterShape(name: "candidateBias", shape: [outputSize], start: .uniform(bound: bound)))
    return shapes
  }
  private var projection: Projection {
    Projection(inputSize: inputSize, outputSize: 3 * outputSize)
  }
  private var recurrentStart: Int { 3 * outputSize * inputSize }
  private var biasStart: Int { recurrentStart + 3 * outputSize * outputSize }
  private var candidateBiasStart: Int { biasStart + 3 * outputSize }

  func keptCount(rows: Int) -> Int { rows * 7 * outputSize }

  func scratchCount<Scalar: TrainingScalar>(_: Scalar.Type, window: Window) -> Int {
    max(
      projection.scratchCount(Scalar.self, rows: window.rows),
      Scalar.packedCount(depth: outputSize, columns: 3 * outputSize),
      Scalar.packedCount(depth: 3 * outputSize, columns: outputSize),
      Scalar.scratchCount(depth: window.rows, columns: outputSize))
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    let gates = unsafe pass.kept
    let recurrent = unsafe gates + window.rows &* 3 &* size
    let previousHidden = unsafe recurrent + window.rows &* 3 &* size
    let hidden = unsafe pass.states
    unsafe projection.forward(
      input: pass.input, output: gates, rows: window.rows, weights: pass.parameters,
      bias: pass.parameters + biasStart, scratch: pass.scratch)
    unsafe Scalar.pack(
      MatrixView(transposing: pass.parameters + recurrentStart, stride: size), depth: size,
      columns: 3 &* size, into: pass.scratch)
    for frame in 0..<window.frames {
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
      for stream in 0..<active {
        let row = unsafe gates + 3 &* (start &+ stream &* size)
        let q = unsafe recurrent + 3 &* (start &+ stream &* size)
        for j in 0..<(2 &* size) { unsafe row[j] += q[j] }
        unsafe Scalar.applySigmoid(row, count: 2 &* size)
        for j in 0..<size { unsafe row[2 &* size &+ j] += row[j] * q[2 &* size &+ j] }
        unsafe Scalar.applyTanh(row + 2 &* size, count: size)
        let h = unsafe hidden + stream &* size
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
    let recurrent = unsafe gates + window.rows &* 3 &* size
    let previousHidden = unsafe recurrent + window.rows &* 3 &* size
    let hiddenGradient = unsafe pass.stateGradients
    unsafe Scalar.pack(
      MatrixView(pass.parameters + recurrentStart, stride: size), depth: 3 &* size, columns: size,
      into: pass.scratch)
    for frame in (0..<window.frames).reversed() {
      let active = window.active[frame]
      let start = window.offsets[frame] &* size
      for stream in 0..<active {
        let offset = start &+ stream &* size
        let row = unsafe gates + 3 &* offset
        let q = unsafe recurrent + 3 &* offset
        let outputGradient = unsafe pass.outputGradient + offset
        let h = unsafe previousHidden + offset
        let dHidden = unsafe hiddenGradient + stream &* size
        for j in 0..<size {
          let (r, z, n) = unsafe (row[j], row[size &+ j], row[2 &* size &+ j])
          let dh = unsafe dHidden[j] + outputGradient[j]
          let dn = dh * (1 - z) * (1 - n * n)
          let dz = unsafe dh * (h[j] - n) * z * (1 - z)
          let dr = unsafe dn * q[2 &* size &+ j] * r * (1 - r)
          unsafe row[j] = dr
          unsafe row[size &+ j] = dz
          unsafe row[2 &* size &+ j] = dn
          unsafe q[j] = dr
          unsafe q[size &+ j] = dz
          unsafe q[2 &* size &+ j] = dn * r
          unsafe dHidden[j] = dh * z
        }
      }
      unsafe Scalar.addProduct(
        hiddenGradient, stride: size, recurrent + 3 &* start, aStride: 3 &* size,
        packed: pass.scratch, rows: active, columns: size, depth: 3 &* size)
    }
    unsafe Scalar.addProduct(
      pass.gradients + recurrentStart, stride: size,
      MatrixView(transposing: recurrent, stride: 3 &* size),
      MatrixView(previousHidden, stride: size), rows: 3 &* size, columns: size,
      depth: window.rows, scratch: pass.scratch)
    for row in 0..<window.rows {
      let candidate = unsafe recurrent + (3 &* row &+ 2) &* size
      let gradient = unsafe pass.gradients + candidateBiasStart
      for j in 0..<size { unsafe gradient[j] += candidate[j] }
    }
    unsafe projection.backward(
      input: pass.input, outputGradient: gates, inputGradient: pass.inputGradient,
      rows: window.rows, weights: pass.parameters, weightsGradient: pass.gradients,
      biasGradient: pass.gradients + biasStart, scratch: pass.scratch)
  }
}
