internal import Runnel

/// Some streams of a minibatch, computed by one thread: their frames, targets and pass.
@safe final class Shard {
  /// One visit of a sequence, or of a part of it.
  struct Visit {
    let sequence: Int
    let frames: Range<Int>
  }

  private let specification: NetworkSpecification
  private let normalisations: [Normalisation?]
  private let sequences: [TrainingSequence]
  private var visits: [Visit] = []
  private var targets = LossTargets<Float>()
  /// For each program, the visits in the order of its streams, from its longest to its shortest.
  private var orders: [[Int]] = []
  /// Whether the loaded window is the visits' first one, before which the other programs run.
  private var isFirst = true
  let unroll: Unroll<Float>

  init(
    _ network: Network, _ specification: NetworkSpecification,
    _ normalisations: [Normalisation?], _ sequences: [TrainingSequence]
  ) {
    self.specification = specification
    self.normalisations = normalisations
    self.sequences = sequences
    unroll = Unroll(network)
  }

  /// How many frames the longest visit has.
  var length: Int { visits.first?.frames.count ?? 0 }

  /// The program that predicts.
  private var last: Int { specification.programs.count - 1 }

  /// Starts visits, from the longest to the shortest, at their first frames.
  func start(_ visits: [Visit]) {
    self.visits = visits
    unroll.reset(streams: visits.count)
    orders = (0..<last).map { program in
      visits.indices.sorted {
        (context($0, program).length, $1) > (context($1, program).length, $0)
      }
    }
    orders.append(Array(visits.indices))
  }

  private func context(_ visit: Int, _ program: Int) -> TrainingSequence.Context {
    sequences[visits[visit].sequence].context[program]
  }

  /// Loads the window of all visits that begins `start` frames after theirs.
  ///
  /// - Returns: The sum of the weights of its frames in the loss.
  func load(from start: Int, frames: Int) -> Double {
    isFirst = start == 0
    if isFirst { for program in 0..<last { loadContexts(program) } }
    let window = Window(lengths: visits.map { min(max($0.frames.count - start, 0), frames) })
    unroll.begin(window)
    let outputSize = unroll.network.outputSize
    let needsValues = specification.loss != .softmaxCrossEntropy
    var targets = LossTargets<Float>(
      classes: Array(repeating: 0, count: window.rows),
      values: Array(repeating: 0, count: needsValues ? window.rows * outputSize : 0),
      weights: Array(repeating: 0, count: window.rows))
    for (stream, visit) in visits.enumerated() {
      let first = visit.frames.lowerBound + start
      let part = first..<min(max(visit.frames.upperBound, first), first + frames)
      let sequence = sequences[visit.sequence]
      loadFrames(part, of: sequence.inputs, program: last, window: window, stream: stream)
      let isLast = !part.isEmpty && part.upperBound == visit.frames.upperBound
      Self.loadTargets(
        of: sequence, frames: part, hasLast: isLast, window: window, stream: stream,
        outputSize: outputSize, into: &targets)
    }
    self.targets = targets
    return targets.weights.reduce(0) { $0 + Double($1) }
  }

  /// Loads what a program before the last one takes in.
  private func loadContexts(_ program: Int) {
    let contexts = orders[program].map { context($0, program) }
    let window = Window(lengths: contexts.map(\.length))
    unroll.begin(window, program: program)
    for (stream, context) in contexts.enumerated() {
      loadFrames(
        0..<context.length, of: context.inputs, program: program, window: window, stream: stream)
    }
  }

  /// Loads a stream's frames, which begin with the window.
  private func loadFrames(
    _ frames: Range<Int>, of inputs: [Float], program: Int, window: Window, stream: Int
  ) {
    let width = specification.programs[program].input.width
    let rows = unsafe unroll.input(of: program)
    let normalisation = normalisations[program]
    unsafe inputs.withUnsafeBufferPointer { inputs in
      guard let inputs = inputs.baseAddress else { return }
      for (offset, frame) in frames.enumerated() {
        let target = unsafe rows + window.row(frame: offset, stream: stream) * width
        unsafe target.update(from: inputs + frame * width, count: width)
        guard let normalisation else { continue }
        for i in 0..<width {
          unsafe target[i] = target[i] * normalisation.scale[i] + normalisation.shift[i]
        }
      }
    }
  }

  /// Loads the targets of a stream's frames, among which `hasLast` says whether the last one is.
  private static func loadTargets(
    of sequence: TrainingSequence, frames: Range<Int>, hasLast: Bool, window: Window, stream: Int,
    outputSize size: Int, into targets: inout LossTargets<Float>
  ) {
    let some = sequence.targets.areAtLast ? frames.suffix(hasLast ? 1 : 0) : frames
    for frame in some {
      let row = window.row(frame: frame - frames.lowerBound, stream: stream)
      targets.weights[row] = sequence.frameWeights?[frame] ?? 1
      switch sequence.targets {
      case .classAtLast(let target): targets.classes[row] = target
      case .classPerFrame(let classes): targets.classes[row] = classes[frame]
      case .valuesAtLast(let values):
        for i in 0..<size { targets.values[row * size + i] = values[i] }
      case .valuesPerFrame(let values):
        for i in 0..<size { targets.values[row * size + i] = values[frame * size + i] }
      }
    }
  }

  /// Runs the loaded window forward, without dropout and noise.
  func forward(parameters: UnsafePointer<Float>) {
    runContexts { program in
      unsafe unroll.forward(parameters: parameters, random: nil, program: program)
    }
    unsafe unroll.forward(parameters: parameters, random: nil, program: last)
  }

  /// Runs the loaded window forward for training.
  ///
  /// - Parameters:
  ///   - random: For dropout and noise.
  ///   - sampling: The share of frames in the place of which the network is given what it would have
  ///     written itself.
  func forward(parameters: UnsafePointer<Float>, random: RandomGenerator, sampling: Double) {
    var random = random
    unsafe withUnsafeMutablePointer(to: &random) { random in
      runContexts { program in
        unsafe unroll.forward(parameters: parameters, random: random, program: program)
      }
      if sampling > 0 { unsafe replaceFrames(parameters, share: sampling, &random.pointee) }
      unsafe unroll.forward(parameters: parameters, random: random, program: last)
    }
  }

  /// Runs the programs before the last one, with the streams in the order of each.
  private func runContexts(_ forward: (Int) -> Void) {
    guard isFirst else { return }
    for program in 0..<last {
      unroll.moveStates(places(in: program, from: program - 1))
      forward(program)
    }
    unroll.moveStates(places(in: last, from: last - 1))
  }

  /// Where the streams of a program stand in another one; as they are, where there is no other.
  private func places(in program: Int, from other: Int) -> [Int] {
    let order = orders[program]
    // A run starts from equal states, so that the first program finds its streams anywhere.
    guard other >= 0 else { return Array(order.indices) }
    var place = [Int](repeating: 0, count: order.count)
    for (index, visit) in orders[other].enumerated() { place[visit] = index }
    return order.map { place[$0] }
  }

  /// Scheduled sampling: goes through the loaded window frame by frame, and replaces a share of its
  /// frames by what is most probable after the frames before.
  private func replaceFrames(
    _ parameters: UnsafePointer<Float>, share: Double, _ random: inout RandomGenerator
  ) {
    let window = unroll.window
    let input = specification.programs[last].input
    let (width, size) = (input.width, unroll.network.outputSize)
    let stateCount = window.streams * unroll.network.stateSize
    let states = unsafe Array(UnsafeBufferPointer(start: unroll.states, count: stateCount))
    var frames = unsafe Array(
      UnsafeBufferPointer(start: unroll.input, count: window.rows * width))
    for frame in 0..<max(window.frames - 1, 0) {
      let active = window.active[frame]
      let first = window.offsets[frame] * width
      unroll.begin(
        Window(lengths: (0..<window.streams).map { $0 < active ? 1 : 0 }))
      for i in 0..<(active * width) { unsafe unroll.input[i] = frames[first + i] }
      unsafe unroll.forward(parameters: parameters, random: nil, program: last)
      for stream in 0..<window.active[frame + 1] where random.uniform() < share {
        let best = unsafe Self.largest(unroll.output + stream * size, size)
        let target = window.row(frame: frame + 1, stream: stream) * width
        if case .index = input {
          frames[target] = Float(best)
        } else {
          for i in 0..<width { frames[target + i] = i == best ? 1 : 0 }
        }
      }
    }
    unroll.begin(window)
    unsafe unroll.input.update(from: frames, count: frames.count)
    unsafe unroll.states.update(from: states, count: states.count)
  }

  /// The place of the largest number, the first one where there are several.
  private static func largest(_ values: UnsafePointer<Float>, _ count: Int) -> Int {
    var best = 0
    for k in 1..<max(count, 1) where unsafe values[k] > values[best] { best = k }
    return best
  }

  /// The sum of weight × loss over the window, and the gradients of `scale` times that.
  func backward(
    parameters: UnsafePointer<Float>, labelSmoothing: Float, scale: Float
  ) -> Double {
    let loss = unsafe specification.loss.evaluate(
      unroll.output, size: unroll.network.outputSize, targets: targets,
      labelSmoothing: labelSmoothing, scale: scale, gradient: unroll.outputGradient)
    unroll.clearGradients()
    unsafe unroll.backward(parameters: parameters, wantsInputGradient: false, program: last)
    guard isFirst else { return loss }
    for program in (0..<last).reversed() {
      unroll.moveStateGradients(places(in: program, from: program + 1))
      unsafe unroll.backward(parameters: parameters, wantsInputGradient: false, program: program)
    }
    return loss
  }

  /// Sums over the window, for an ``Evaluation``.
  func score() -> Score {
    var score = scoreWithoutLoss()
    score.loss = unsafe specification.loss.evaluate(
      unroll.output, size: unroll.network.outputSize, targets: targets)
    return score
  }

  /// As ``score()``, for where the loss is known from the backward pass.
  func scoreWithoutLoss() -> Score {
    var score = Score()
    let size = unroll.network.outputSize
    if specification.loss == .softmaxCrossEntropy {
      score.weight = targets.weights.reduce(0) { $0 + Double($1) }
      score.metric = unsafe TrainingKernels.best.weightOfRight(
        unroll.output, size: size, classes: targets.classes, weights: targets.weights,
        rows: targets.weights.count)
      return score
    }
    for (row, weight) in targets.weights.enumerated() where weight > 0 {
      let output = unsafe unroll.output + row * size
      score.weight += Double(weight)
      var sum = 0.0
      for k in 0..<size {
        let (value, target) = unsafe (output[k], targets.values[row * size + k])
        if specification.loss == .sigmoidCrossEntropy {
          sum += (value > 0) == (target > 0.5) ? 1 / Double(size) : 0
        } else {
          let difference = Double(value) - Double(target)
          sum += difference * difference / Double(size)
        }
      }
      score.metric += Double(weight) * sum
    }
    return score
  }
}

/// Sums over frames: of the weights, of weight × loss, and of weight × metric.
struct Score: Equatable {
  var weight = 0.0
  var loss = 0.0
  var metric = 0.0

  static func += (left: inout Score, right: Score) {
    left.weight += right.weight
    left.loss += right.loss
    left.metric += right.metric
  }

  /// The means; zeros where nothing was added.
  func evaluation(of loss: Loss) -> Evaluation {
    let weight = max(weight, .leastNormalMagnitude)
    return loss == .meanSquaredError
      ? Evaluation(
        loss: self.loss / weight, metric: (metric / weight).squareRoot(),
        metricKind: .rootMeanSquaredError)
      : Evaluation(loss: self.loss / weight, metric: metric / weight, metricKind: .accuracy)
  }
}
