/// A network unrolled over windows of frames, for some streams: the buffers of forward and backward
/// passes of its programs, and the states that the streams carry from window to window and from
/// program to program.
///
/// Use, with one program: ``reset(streams:)``; then, for each window, ``begin(_:)``, fill
/// ``input``, ``forward(parameters:random:)``, fill ``outputGradient``,
/// ``backward(parameters:wantsInputGradient:)``. With several, `begin`, fill and `forward` each in
/// turn, then ``clearGradients()`` and `backward` each from the last to the first; between two, the
/// streams may change their places.
@safe package final class Unroll<Scalar: TrainingScalar> {
  package let network: Network
  private var streams = 0
  private let passes: [ProgramPass<Scalar>]
  private let stateBuffer = Buffer<Scalar>()
  private let stateGradientBuffer = Buffer<Scalar>()
  private let gradientBuffer = Buffer<Scalar>()
  /// For streams that change places.
  private let placeBuffer = Buffer<Scalar>()

  package init(_ network: Network) {
    self.network = network
    passes = network.programs.map { ProgramPass($0) }
    gradientBuffer.reserveZeros(network.parameterCount)
  }

  /// Starts so many streams afresh: all states are 0.
  package func reset(streams: Int) {
    self.streams = streams
    stateBuffer.reserveZeros(streams * network.stateSize)
    stateGradientBuffer.reserveZeros(streams * network.stateSize)
  }

  /// Makes room for the last program's window over all streams.
  package func begin(_ window: Window) { begin(window, program: passes.count - 1) }

  /// Makes room for a program's window over all streams.
  package func begin(_ window: Window, program: Int) {
    precondition(window.streams == streams, "a window has all streams")
    passes[program].begin(window)
  }

  /// The program that predicts.
  private var last: ProgramPass<Scalar> { passes[passes.count - 1] }
  /// The last program's window.
  package var window: Window { last.window }
  /// A program's frames, shape `[rows, width]`, to be filled after ``begin(_:program:)``.
  package func input(of program: Int) -> UnsafeMutablePointer<Scalar> {
    unsafe passes[program].input
  }
  /// A program's outputs, shape `[rows, outputSize]`, after its forward pass.
  package func output(of program: Int) -> UnsafeMutablePointer<Scalar> {
    unsafe passes[program].output
  }
  /// The last program's frames, shape `[rows, width]`.
  package var input: UnsafeMutablePointer<Scalar> { unsafe last.input }
  /// The last program's outputs, shape `[rows, outputSize]`.
  package var output: UnsafeMutablePointer<Scalar> { unsafe last.output }
  /// The gradient of these outputs, `[rows, outputSize]`, to be filled before the backward pass.
  package var outputGradient: UnsafeMutablePointer<Scalar> { unsafe last.outputGradient }
  /// The gradient of the last program's frames, `[rows, width]`, where it was asked for.
  package var inputGradient: UnsafeMutablePointer<Scalar> { unsafe last.inputGradient }
  /// For each state, `[streams, size]`, one behind the other.
  package var states: UnsafeMutablePointer<Scalar> { unsafe stateBuffer.elements }
  /// The gradients of the states before the windows, after the backward passes.
  package var stateGradients: UnsafeMutablePointer<Scalar> {
    unsafe stateGradientBuffer.elements
  }
  /// The parameters' gradients since ``clearGradients()``.
  package var gradients: UnsafeMutablePointer<Scalar> { unsafe gradientBuffer.elements }

  /// Computes the outputs of the last program's window and carries the states over it.
  ///
  /// - Parameters:
  ///   - parameters: Shape `[parameterCount]`.
  ///   - random: Random numbers for dropout and noise; `nil` turns these off.
  package func forward(parameters: UnsafePointer<Scalar>, random: RandomGenerator?) {
    guard var random else {
      return unsafe forward(parameters: parameters, random: nil, program: passes.count - 1)
    }
    unsafe forward(parameters: parameters, random: &random, program: passes.count - 1)
  }

  /// Computes the outputs of a program's window and carries the states over it.
  package func forward(
    parameters: UnsafePointer<Scalar>, random: UnsafeMutablePointer<RandomGenerator>?,
    program: Int
  ) {
    unsafe passes[program].forward(
      parameters: parameters, states: states, streams: streams, random: random)
  }

  /// Computes the gradients of the parameters, of the states before the window, and of the frames,
  /// for the last program.
  ///
  /// Those of the frames only where they are wanted. No gradient enters from after the window.
  package func backward(parameters: UnsafePointer<Scalar>, wantsInputGradient: Bool = false) {
    clearGradients()
    unsafe backward(
      parameters: parameters, wantsInputGradient: wantsInputGradient, program: passes.count - 1)
  }

  /// Makes all gradients 0.
  package func clearGradients() {
    gradientBuffer.reserveZeros(network.parameterCount)
    stateGradientBuffer.reserveZeros(streams * network.stateSize)
  }

  /// Adds to the parameters' gradients those of a program's window, and turns the gradients of the
  /// states after it into those before it.
  ///
  /// For the last program, ``outputGradient`` has been filled; the outputs of the others have no
  /// gradient of their own.
  package func backward(
    parameters: UnsafePointer<Scalar>, wantsInputGradient: Bool, program: Int
  ) {
    let pass = passes[program]
    if program < passes.count - 1 {
      unsafe pass.outputGradient.update(
        repeating: 0, count: pass.window.rows * network.programs[program].outputSize)
    }
    unsafe pass.backward(
      parameters: parameters, gradients: gradients, stateGradients: stateGradients,
      streams: streams, wantsInputGradient: wantsInputGradient)
  }

  /// Gives the streams other places: the stream at `places[k]` moves to place `k`, with its states.
  package func moveStates(_ places: [Int]) { unsafe move(stateBuffer.elements, places) }

  /// Gives the streams other places, with the gradients of their states.
  package func moveStateGradients(_ places: [Int]) {
    unsafe move(stateGradientBuffer.elements, places)
  }

  private func move(_ values: UnsafeMutablePointer<Scalar>, _ places: [Int]) {
    precondition(places.count == streams, "every stream has a place")
    guard places != Array(places.indices) else { return }
    placeBuffer.reserve(streams * network.stateSize)
    unsafe placeBuffer.elements.update(from: values, count: streams * network.stateSize)
    var start = 0
    for size in network.stateSizes {
      for (place, stream) in places.enumerated() {
        unsafe (values + start + place * size).update(
          from: placeBuffer.elements + start + stream * size, count: size)
      }
      start += streams * size
    }
  }
}
