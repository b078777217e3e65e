package import RunnelTraining

/// The adding problem (Hochreiter and Schmidhuber, 1997; in the form of Le, Jaitly and Hinton, 2015).
///
/// Of the two numbers of a frame, the first is from 0 to 1 and the second marks one frame in the
/// first half of the sequence and one in the second half. The target, at the last frame, is the sum
/// of the two numbers that are marked.
package struct AddingProblem: SyntheticTask {
  package let length: Int
  package var inputSize: Int { 2 }
  package var outputSize: Int { 1 }
  package var loss: Loss { .meanSquaredError }

  /// The mean squared error of always answering 1: the variance of the sum of two uniform numbers.
  package static let errorOfGuessing = 1.0 / 6

  /// - Parameter length: The frames in a sequence, at least 2.
  package init(length: Int) { self.length = length }

  package func sequence(using random: inout RandomGenerator) -> TrainingSequence {
    let half = length / 2
    let marked = (random.index(below: half), half + random.index(below: length - half))
    var inputs: [Float] = []
    inputs.reserveCapacity(2 * length)
    var sum: Float = 0
    for frame in 0..<length {
      let value = Float(random.uniform())
      let isMarked = frame == marked.0 || frame == marked.1
      inputs += [value, isMarked ? 1 : 0]
      if isMarked { sum += value }
    }
    return TrainingSequence(inputs: inputs, length: length, targets: .valuesAtLast([sum]))
  }
}
