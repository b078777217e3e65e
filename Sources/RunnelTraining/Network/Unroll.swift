/// A network unrolled over a window of frames, for some streams: the buffers of one forward and
/// backward pass, and the states that the streams carry from window to window.
///
/// Use: ``reset(streams:)``; then, for each window, ``begin(_:)``, fill ``input``,
/// ``forward(parameters:random:)``, fill ``outputGradient``,
/// ``backward(parameters:wantsInputGradient:)``.
@safe package final class Unroll<Scalar: TrainingScalar> {
  package let network: Network
  private(set) package var window = Window(lengths: [])
  private var streams = 0
  /// All layers' inputs and outputs, one behind the other, then what they keep, then scratch.
  private let arena = Buffer<Scalar>()
  private let stateBuffer = Buffer<Scalar>()
  private let stateGradientBuffer = Buffer<Scalar>()
  private let gradientBuffer = Buffer<Scalar>()
  private let activationGradients: (Buffer<Scalar>, Buffer<Scalar>)
  /// Where each layer's input begins in the arena; and last, the network's output.
  private var activationOffsets: [Int] = []
  private var keptOffsets: [Int] = []
  private var scratchOffset = 0

  package init(_ network: Network) {
    self.network = network
    activationGradients = (Buffer(), Buffer())
    gradientBuffer.reserveZeros(network.parameterCount)
  }

  /// Starts so many streams afresh: all states are 0.
  package func reset(streams: Int) {
    self.streams = streams
    stateBuffer.reserveZeros(streams * stateSize)
    stateGradientBuffer.reserveZeros(streams * stateSize)
  }

  /// Makes room for a window over all streams.
  package func begin(_ window: Window) {
    precondition(window.streams == streams, "a window has all streams")
    self.window = window
    let rows = window.rows
    var offset = 0
    activationOffsets = [0]
    offset += rows * network.input.width
    var widest = network.input.width
    for layer in network.layers {
      activationOffsets.append(offset)
      offset += rows * layer.outputSize
      widest = max(widest, layer.outputSize)
    }
    keptOffsets = []
    var scratch = 0
    for layer in network.layers {
      keptOffsets.append(offset)
      offset += layer.keptCount(rows: rows)
      scratch = max(scratch, layer.scratchCount(Scalar.self, window: window))
    }
    scratchOffset = offset
    arena.reserve(offset + scratch)
    activationGradients.0.reserve(rows * widest)
    activationGradients.1.reserve(rows * widest)
  }

  /// The size of all states of one stream.
  package var stateSize: Int { network.stateOffsets[network.layers.count] }
  /// The frames, shape `[rows, width]`, to be filled after ``begin(_:)``.
  package var input: UnsafeMutablePointer<Scalar> { unsafe arena.elements }
  /// The last layer's outputs, shape `[rows, outputSize]`, after the forward pass.
  package var output: UnsafeMutablePointer<Scalar> {
    unsafe arena.elements + activationOffsets[network.layers.count]
  }
  /// The gradient of the outputs, `[rows, outputSize]`, to be filled before the backward pass.
  package var outputGradient: UnsafeMutablePointer<Scalar> {
    unsafe activationGradients.0.elements
  }
  /// The gradient of the frames, `[rows, width]`, after a backward pass that was asked for it.
  package var inputGradient: UnsafeMutablePointer<Scalar> {
    network.layers.count % 2 == 0
      ? unsafe activationGradients.0.elements : unsafe activationGradients.1.elements
  }
  /// For each state of each layer, `[streams, size]`, one behind the other.
  package var states: UnsafeMutablePointer<Scalar> { unsafe stateBuffer.elements }
  /// The gradients of the states before the window, after the backward pass.
  package var stateGradients: UnsafeMutablePointer<Scalar> {
    unsafe stateGradientBuffer.elements
  }
  /// The parameters' gradients of the latest backward pass.
  package var gradients: UnsafeMutablePointer<Scalar> { unsafe gradientBuffer.elements }

  /// Computes the outputs of the window and carries the states over it.
  ///
  /// - Parameters:
  ///   - parameters: Shape `[parameterCount]`.
  ///   - random: Random numbers for dropout and noise; `nil` turns these off.
  package func forward(parameters: UnsafePointer<Scalar>, random: RandomGenerator?) {
    var generator = random ?? RandomGenerator(seed: 0, purpose: .layers)
    unsafe withUnsafeMutablePointer(to: &generator) { generator in
      for (index, layer) in network.layers.enumerated() {
        let pass = unsafe ForwardPass(
          window: window, parameters: parameters + network.parameterOffsets[index],
          input: arena.elements + activationOffsets[index],
          output: arena.elements + activationOffsets[index + 1],
          states: states + streams * network.stateOffsets[index],
          kept: arena.elements + keptOffsets[index], scratch: arena.elements + scratchOffset,
          random: random == nil ? nil : generator)
        unsafe layer.forward(pass)
      }
    }
  }

  /// Computes the gradients of the parameters, of the states before the window, and of the frames.
  ///
  /// Those of the frames only where they are wanted. No gradient enters from after the window.
  package func backward(parameters: UnsafePointer<Scalar>, wantsInputGradient: Bool = false) {
    gradientBuffer.reserveZeros(network.parameterCount)
    stateGradientBuffer.reserveZeros(streams * stateSize)
    var (outer, inner) = activationGradients
    for (index, layer) in network.layers.enumerated().reversed() {
      let pass = unsafe BackwardPass(
        window: window, parameters: parameters + network.parameterOffsets[index],
        input: arena.elements + activationOffsets[index],
        output: arena.elements + activationOffsets[index + 1],
        kept: arena.elements + keptOffsets[index], scratch: arena.elements + scratchOffset,
        gradients: gradients + network.parameterOffsets[index], outputGradient: outer.elements,
        inputGradient: index == 0 && !wantsInputGradient ? nil : inner.elements,
        stateGradients: stateGradients + streams * network.stateOffsets[index])
      unsafe layer.backward(pass)
      swap(&outer, &inner)
    }
  }
}
