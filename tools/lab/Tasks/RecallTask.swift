package import RunnelTraining

/// One bit after another, each asked for a fixed number of frames after it was shown.
///
/// A frame holds the bit, -1 or 1 where one is shown and 0 elsewhere, and whether it is asked for now.
/// No bit is shown before the one before it has been asked for, so one bit is all there is to
/// remember; pauses of random length keep the frames of windows from meaning anything.
package struct RecallTask: SyntheticTask {
  /// The frames from showing a bit to asking for it.
  package let lag: Int
  package let length: Int
  package var inputSize: Int { 2 }
  package var outputSize: Int { 1 }
  package var loss: Loss { .sigmoidCrossEntropy }

  /// - Parameters:
  ///   - lag: At least 1.
  ///   - length: The frames in a sequence, above twice the lag.
  package init(lag: Int, length: Int) {
    precondition(length > 2 * lag, "every sequence asks at least once")
    self.lag = lag
    self.length = length
  }

  package func sequence(using random: inout RandomGenerator) -> TrainingSequence {
    var inputs = [Float](repeating: 0, count: 2 * length)
    var targets = [Float](repeating: 0, count: length)
    var weights = [Float](repeating: 0, count: length)
    var shown = random.index(below: lag)
    while shown + lag < length {
      let bit = random.index(below: 2)
      let asked = shown + lag
      inputs[2 * shown] = bit == 1 ? 1 : -1
      inputs[2 * asked + 1] = 1
      targets[asked] = Float(bit)
      weights[asked] = 1
      shown = asked + 1 + random.index(below: lag)
    }
    return TrainingSequence(
      inputs: inputs, length: length, targets: .valuesPerFrame(targets), frameWeights: weights)
  }
}
