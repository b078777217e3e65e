package import RunnelTraining

/// A task whose sequences are made from a seed, so that how far back a network has to look is known.
package protocol SyntheticTask: Sendable {
  /// The numbers in a frame.
  var inputSize: Int { get }
  /// The numbers in a prediction.
  var outputSize: Int { get }
  /// The frames in a sequence.
  var length: Int { get }
  /// What is trained on.
  var loss: Loss { get }

  /// A sequence; the same generator gives the same one.
  func sequence(using random: inout RandomGenerator) -> TrainingSequence
}

/// Which sequences of a task: those that are learnt, or others.
package enum TaskSplit: UInt64, Sendable {
  case training, test
}

extension SyntheticTask {
  /// So many sequences, each determined by the seed, the split and its place.
  package func sequences(_ count: Int, seed: UInt64, split: TaskSplit) -> [TrainingSequence] {
    (0..<count).map { index in
      var random = RandomGenerator(
        seed: seed, purpose: .synthesis, keys: split.rawValue, UInt64(length), UInt64(index))
      return sequence(using: &random)
    }
  }

  /// A network of one cell and a dense layer for the task.
  package func network(_ cell: LayerSpecification) -> NetworkSpecification {
    NetworkSpecification(
      input: .vector(size: inputSize), layers: [cell, .dense(size: outputSize)], loss: loss)
  }
}
