/// One Gaussian offset for all frames of a stream, while the network is being trained.
///
///     y = x + deviation ε,  ε drawn at the stream's first frame          dx = dy
///
/// It stands for what stays the same within a sequence and differs between sequences, such as a
/// speaker's voice on another day. States, carried from window to window: ε, and whether it is drawn.
struct OffsetLayer: Layer {
  let size: Int
  let deviation: Float

  var kind: String { "offset" }
  var inputSize: Int { size }
  var outputSize: Int { size }
  var stateSizes: [Int] { [size, 1] }

  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func forward<Scalar: TrainingScalar>(_ pass: ForwardPass<Scalar>) {
    let window = unsafe pass.window
    unsafe pass.output.update(from: pass.input, count: window.rows &* size)
    guard let random = unsafe pass.random else { return }
    let offsets = unsafe pass.states
    let drawn = unsafe pass.states + window.streams &* size
    for stream in 0..<window.streams where unsafe drawn[stream] == 0 {
      for i in 0..<size {
        unsafe offsets[stream &* size &+ i] = Scalar(random.pointee.normal()) * Scalar(deviation)
      }
      unsafe drawn[stream] = 1
    }
    for frame in 0..<window.frames {
      let output = unsafe pass.output + window.offsets[frame] &* size
      // The running streams are the first ones, in the order of the states.
      for i in 0..<(window.active[frame] &* size) { unsafe output[i] += offsets[i] }
    }
  }

  func backward<Scalar: TrainingScalar>(_ pass: BackwardPass<Scalar>) {
    guard let gradient = unsafe pass.inputGradient else { return }
    unsafe gradient.update(from: pass.outputGradient, count: pass.window.rows &* size)
  }
}
