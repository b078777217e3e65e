/// Some streams of a minibatch, computed by one thread: their frames, targets and pass.
@safe final class Shard {
  /// One visit of a sequence, or of a part of it.
  struct Visit {
    let sequence: Int
    let frames: Range<Int>
  }

  private let specification: NetworkSpecification
  private let normalisation: Normalisation?
  private let sequences: [TrainingSequence]
  private var visits: [Visit] = []
  private var targets = LossTargets<Float>()
  let unroll: Unroll<Float>

  init(
    _ network: Network, _ specification: NetworkSpecification, _ normalisation: Normalisation?,
    _ sequences: [TrainingSequence]
  ) {
    self.specification = specification
    self.normalisation = normalisation
    self.sequences = sequences
    unroll = Unroll(network)
  }

  /// How many frames the longest visit has.
  var length: Int { visits.first?.frames.count ?? 0 }

  /// Starts visits, from the longest to the shortest, at their first frames.
  func start(_ visits: [Visit]) {
    self.visits = visits
    unroll.reset(streams: visits.count)
  }

  /// Loads the window of all visits that begins `start` frames after theirs.
  ///
  /// - Returns: The sum of the weights of its frames in the loss.
  func load(from start: Int, frames: Int) -> Double {
    let window = Window(lengths: visits.map { min(max($0.frames.count - start, 0), frames) })
    unroll.begin(window)
    let outputSize = unroll.network.outputSize
    targets.classes = Array(repeating: 0, count: window.rows)
    targets.weights = Array(repeating: 0, count: window.rows)
    let needsValues = specification.loss != .softmaxCrossEntropy
    targets.values = Array(repeating: 0, count: needsValues ? window.rows * outputSize : 0)
    var row = 0
    var total = 0.0
    for offset in 0..<window.frames {
      for visit in visits.prefix(window.active[offset]) {
        let frame = visit.frames.lowerBound + start + offset
        loadInput(of: sequences[visit.sequence], frame: frame, row: row)
        loadTarget(
          of: sequences[visit.sequence], frame: frame,
          isLast: frame == visit.frames.upperBound - 1, row: row)
        total += Double(targets.weights[row])
        row += 1
      }
    }
    return total
  }

  private func loadInput(of sequence: TrainingSequence, frame: Int, row: Int) {
    let width = specification.input.width
    let target = unsafe unroll.input + row * width
    for i in 0..<width { unsafe target[i] = sequence.inputs[frame * width + i] }
    guard let normalisation else { return }
    for i in 0..<width {
      unsafe target[i] = target[i] * normalisation.scale[i] + normalisation.shift[i]
    }
  }

  private func loadTarget(of sequence: TrainingSequence, frame: Int, isLast: Bool, row: Int) {
    if sequence.targets.areAtLast && !isLast { return }
    targets.weights[row] = sequence.frameWeights?[frame] ?? 1
    let size = unroll.network.outputSize
    switch sequence.targets {
    case .classAtLast(let target): targets.classes[row] = target
    case .classPerFrame(let classes): targets.classes[row] = classes[frame]
    case .valuesAtLast(let values):
      for i in 0..<size { targets.values[row * size + i] = values[i] }
    case .valuesPerFrame(let values):
      for i in 0..<size { targets.values[row * size + i] = values[frame * size + i] }
    }
  }

  /// Runs the loaded window forward.
  func forward(parameters: UnsafePointer<Float>, random: RandomGenerator?) {
    unsafe unroll.forward(parameters: parameters, random: random)
  }

  /// The sum of weight × loss over the window, and the gradients of `scale` times that.
  func backward(
    parameters: UnsafePointer<Float>, labelSmoothing: Float, scale: Float
  ) -> Double {
    let loss = unsafe specification.loss.evaluate(
      unroll.output, size: unroll.network.outputSize, targets: targets,
      labelSmoothing: labelSmoothing, scale: scale, gradient: unroll.outputGradient)
    unsafe unroll.backward(parameters: parameters)
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
    for (row, weight) in targets.weights.enumerated() where weight > 0 {
      let output = unsafe unroll.output + row * size
      score.weight += Double(weight)
      var sum = 0.0
      switch specification.loss {
      case .softmaxCrossEntropy:
        var best = 0
        for k in 1..<max(size, 1) where unsafe output[k] > output[best] { best = k }
        sum = best == targets.classes[row] ? 1 : 0
      case .sigmoidCrossEntropy:
        for k in 0..<size {
          let agrees = unsafe (output[k] > 0) == (targets.values[row * size + k] > 0.5)
          sum += agrees ? 1 / Double(size) : 0
        }
      case .meanSquaredError:
        for k in 0..<size {
          let difference = unsafe Double(output[k]) - Double(targets.values[row * size + k])
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
