import Runnel
import RunnelTraining

/// Small problems to train on, and small networks that can learn them.
enum Problem {
  /// The recurrent cells, 16 units each.
  static let cells: [LayerSpecification] = [
    .rnn(hidden: 16, activation: .tanh), .rnn(hidden: 16, activation: .relu), .lstm(hidden: 16),
    .gru(hidden: 16, variant: .resetAfter), .gru(hidden: 16, variant: .resetBefore),
  ]

  /// Sequences of noise, of 3 to 9 frames, in which one of three elements is raised; which one is
  /// the class.
  static func raised(count: Int, seed: UInt64 = 1) -> [TrainingSequence] {
    var random = RandomGenerator(seed: seed, purpose: .split)
    return (0..<count).map { index in
      let length = 3 + random.index(below: 7)
      let inputs = (0..<(3 * length)).map { i in
        Float(random.normal()) + (i % 3 == index % 3 ? 1.5 : 0)
      }
      return TrainingSequence(inputs: inputs, length: length, targets: .classAtLast(index % 3))
    }
  }

  /// A network for ``raised(count:seed:)``, with all that is random.
  static func noisyNetwork(_ cell: LayerSpecification) -> NetworkSpecification {
    NetworkSpecification(
      input: .vector(size: 3), normalises: true,
      layers: [.noise(deviation: 0.1), cell, .dropout(rate: 0.1), .dense(size: 3)],
      loss: .softmaxCrossEntropy)
  }

  /// The adding problem (Hochreiter and Schmidhuber, 1997): of two numbers a frame, the second marks
  /// two of the first, whose sum is the target at the last frame.
  static func adding(count: Int, length: Int) -> [TrainingSequence] {
    var random = RandomGenerator(seed: 7, purpose: .split)
    return (0..<count).map { _ in
      let first = random.index(below: length / 2)
      let second = length / 2 + random.index(below: length - length / 2)
      var sum: Float = 0
      var inputs: [Float] = []
      for frame in 0..<length {
        let value = Float(random.uniform())
        let isMarked = frame == first || frame == second
        inputs += [value, isMarked ? 1 : 0]
        sum += isMarked ? value : 0
      }
      return TrainingSequence(inputs: inputs, length: length, targets: .valuesAtLast([sum]))
    }
  }

  /// "hell" → "ello", over the alphabet h e l o.
  static let hello = TrainingSequence(
    inputs: [0, 1, 2, 2], length: 4, targets: .classPerFrame([1, 2, 2, 3]))
}
