import RunnelTraining

/// A network with its parameters, one window of frames and a loss, in Double: a function of
/// everything that has a gradient, and these gradients.
struct NetworkProbe {
  let network: Network
  let loss: Loss
  let window: Window
  var targets: LossTargets<Double>
  var labelSmoothing = 0.0
  var parameters: [Double]
  var frames: [Double]
  var states: [Double]
  /// Keys for dropout and noise; `nil` turns these off.
  var noiseKey: UInt64?

  /// Everything random, determined by the seed; `lengths` are those of the streams.
  init(
    _ specification: NetworkSpecification, lengths: [Int], lastFrameOnly: Bool = false,
    seed: UInt64 = 1
  ) throws {
    network = try Network(specification)
    loss = specification.loss
    window = Window(lengths: lengths)
    var random = RandomGenerator(seed: seed, purpose: .split)
    parameters = network.initialParameters(seed: seed)
    states = (0..<(lengths.count * network.stateSize)).map { _ in 0.5 * random.normal() }
    switch specification.programs[0].input {
    case .vector(let size): frames = (0..<(window.rows * size)).map { _ in random.normal() }
    case .index(let size):
      frames = (0..<window.rows).map { _ in Double(random.index(below: size)) }
    }
    targets = LossTargets()
    let outputSize = network.outputSize
    targets.classes = (0..<window.rows).map { _ in random.index(below: outputSize) }
    targets.values = (0..<(window.rows * outputSize)).map { _ in random.uniform() }
    targets.weights = (0..<window.rows).map { _ in 0.5 + random.uniform() }
    guard lastFrameOnly else { return }
    targets.weights = Array(repeating: 0, count: window.rows)
    for (stream, length) in lengths.enumerated() where length > 0 {
      targets.weights[window.row(frame: length - 1, stream: stream)] = 1
    }
  }

  /// What a pass gave.
  struct Outcome {
    var loss: Double
    var outputs: [Double]
    var finalStates: [Double]
    var parameterGradients: [Double] = []
    var frameGradients: [Double] = []
    var stateGradients: [Double] = []
  }

  /// Forward, and, where it is asked for, backward.
  func run(backward: Bool = false) -> Outcome {
    let unroll = Unroll<Double>(network)
    unroll.reset(streams: window.streams)
    unroll.begin(window)
    unsafe unroll.states.update(from: states, count: states.count)
    unsafe unroll.input.update(from: frames, count: frames.count)
    let random = noiseKey.map { RandomGenerator(seed: $0, purpose: .layers) }
    unsafe unroll.forward(parameters: parameters, random: random)
    let scale = 1 / targets.weights.reduce(0, +)
    let sum = unsafe loss.evaluate(
      unroll.output, size: network.outputSize, targets: targets, labelSmoothing: labelSmoothing,
      scale: scale, gradient: unroll.outputGradient)
    func array(_ start: UnsafeMutablePointer<Double>, _ count: Int) -> [Double] {
      unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }
    var outcome = unsafe Outcome(
      loss: sum * scale, outputs: array(unroll.output, window.rows * network.outputSize),
      finalStates: array(unroll.states, states.count))
    guard backward else { return outcome }
    unsafe unroll.backward(parameters: parameters, wantsInputGradient: true)
    outcome.parameterGradients = unsafe array(unroll.gradients, parameters.count)
    outcome.frameGradients = unsafe array(unroll.inputGradient, frames.count)
    outcome.stateGradients = unsafe array(unroll.stateGradients, states.count)
    return outcome
  }

  /// The derivative of the loss by one number, from five points around it (error O(step⁴)).
  func derivative(_ path: WritableKeyPath<NetworkProbe, [Double]>, at index: Int) -> Double {
    let step = 1e-3
    func loss(_ offset: Double) -> Double {
      var moved = self
      moved[keyPath: path][index] += offset
      return moved.run().loss
    }
    return (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step))) / (12 * step)
  }

  /// How much the loss changes, for each unit of the way, along a direction of the parameters.
  func derivative(along direction: [Double]) -> Double {
    let step = 1e-6
    func loss(_ offset: Double) -> Double {
      var moved = self
      for (i, value) in direction.enumerated() { moved.parameters[i] += offset * value }
      return moved.run().loss
    }
    return (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step))) / (12 * step)
  }

  /// The largest relative error of gradients against ``derivative(_:at:)``.
  ///
  /// Relative to the larger of the two, or to a thousandth of the largest gradient: a gradient far
  /// below all others is known only to the rounding error of the loss.
  func largestError(
    of gradients: [Double], _ path: WritableKeyPath<NetworkProbe, [Double]>
  ) -> Double {
    let floor = 1e-3 * (gradients.map(abs).max() ?? 0)
    var largest = 0.0
    for (index, gradient) in gradients.enumerated() {
      let expected = derivative(path, at: index)
      let size = max(abs(gradient), abs(expected), floor)
      if size > 0 { largest = max(largest, abs(gradient - expected) / size) }
    }
    return largest
  }
}
