/// Makes its input a state, from which another program then goes on: `[h' c'] = x`, `y = h'`.
///
///     dx = [dh' + dy  dc']           dh = dc = 0
///
/// An input is `[rows, H]`, or `[rows, 2H]` where there is a cell state; an output `[rows, H]`.
struct StateLayer: Layer {
  let outputSize: Int
  let hasCell: Bool

  var kind: String { "state" }
  var inputSize: Int { stateSizes.reduce(0, +) }
  var stateSizes: [Int] { hasCell ? [outputSize, outputSize] : [outputSize] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    for frame in 0..<window.frames {
      for stream in 0..<window.active[frame] {
        let row = window.row(frame: frame, stream: stream)
        let x = unsafe pass.input + row &* inputSize
        for state in stateSizes.indices {
          unsafe (pass.states + (state &* window.streams &+ stream) &* size).update(
            from: x + state &* size, count: size)
        }
        unsafe (pass.output + row &* size).update(from: x, count: size)
      }
    }
  }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    let size = outputSize
    let window = unsafe pass.window
    for frame in (0..<window.frames).reversed() {
      for stream in 0..<window.active[frame] {
        let row = window.row(frame: frame, stream: stream)
        let outputGradient = unsafe pass.outputGradient + row &* size
        for state in stateSizes.indices {
          let place = (state &* window.streams &+ stream) &* size
          let stateGradient = unsafe pass.stateGradients + place
          if let inputGradient = unsafe pass.inputGradient {
            let target = unsafe inputGradient + (row &* inputSize &+ state &* size)
            for j in 0..<size {
              unsafe target[j] = stateGradient[j] + (state == 0 ? outputGradient[j] : 0)
            }
          }
          unsafe stateGradient.update(repeating: 0, count: size)
        }
      }
    }
  }
}
