package import RunnelTraining

/// The copy task (Hochreiter and Schmidhuber, 1997; in the form of Arjovsky, Shah and Bengio, 2016).
///
/// ``symbolCount`` symbols, one a frame, each one of eight; then blanks; then, `lag` frames after the
/// last symbol, a signal, and from the frame after it on as many blanks, at which the symbols are to
/// be recalled in order. Frames are one-hot: eight symbols, the blank, the signal. Only the frames
/// of the recall bear a loss.
package struct CopyTask: SyntheticTask {
  /// How many symbols are to be kept.
  package let symbolCount: Int
  /// The frames between the last symbol and the first that is asked for, less one.
  package let lag: Int
  package var inputSize: Int { Self.alphabetSize + 2 }
  package var outputSize: Int { Self.alphabetSize }
  package var length: Int { lag + 2 * symbolCount }
  package var loss: Loss { .softmaxCrossEntropy }

  private static let alphabetSize = 8
  /// The accuracy of guessing.
  package static let accuracyOfGuessing = 1 / Double(alphabetSize)

  /// - Parameters:
  ///   - symbolCount: At least 1.
  ///   - lag: At least 1.
  package init(symbolCount: Int = 10, lag: Int) {
    self.symbolCount = symbolCount
    self.lag = lag
  }

  package func sequence(using random: inout RandomGenerator) -> TrainingSequence {
    let symbols = (0..<symbolCount).map { _ in random.index(below: Self.alphabetSize) }
    let recall = symbolCount + lag
    let (blank, signal) = (Self.alphabetSize, Self.alphabetSize + 1)
    var inputs = [Float](repeating: 0, count: length * inputSize)
    var classes = [Int](repeating: 0, count: length)
    var weights = [Float](repeating: 0, count: length)
    for frame in 0..<length {
      let element = frame < symbolCount ? symbols[frame] : frame == recall - 1 ? signal : blank
      inputs[frame * inputSize + element] = 1
      guard frame >= recall else { continue }
      classes[frame] = symbols[frame - recall]
      weights[frame] = 1
    }
    return TrainingSequence(
      inputs: inputs, length: length, targets: .classPerFrame(classes), frameWeights: weights)
  }
}
