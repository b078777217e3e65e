/// `x scale + shift` for each element of a frame, so that it has mean 0 and deviation 1 over the
/// training data.
package struct Normalisation: Equatable, Sendable {
  /// One over the deviation, shape `[width]`; 1 where an element never changes.
  package let scale: [Float]
  /// Minus the mean over the deviation, shape `[width]`.
  package let shift: [Float]

  /// The constants for a set of sequences.
  init(of sequences: [TrainingSequence], width: Int) {
    var count = 0.0
    var sums = [Double](repeating: 0, count: width)
    for sequence in sequences {
      count += Double(sequence.length)
      for (i, value) in sequence.inputs.enumerated() { sums[i % width] += Double(value) }
    }
    let means = sums.map { $0 / count }
    var squares = [Double](repeating: 0, count: width)
    for sequence in sequences {
      for (i, value) in sequence.inputs.enumerated() {
        let difference = Double(value) - means[i % width]
        squares[i % width] += difference * difference
      }
    }
    let scales = zip(squares, means).map { square, mean in
      let deviation = (square / count).squareRoot()
      // What rounding alone makes of an element that never changes is no deviation.
      return deviation > 1e-6 * abs(mean) ? 1 / deviation : 1
    }
    scale = scales.map { Float($0) }
    shift = zip(scales, means).map { Float(-$1 * $0) }
  }
}
