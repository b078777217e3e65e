/// `x scale + shift` for each element of a frame, so that it has mean 0 and deviation 1 over the
/// training data.
package struct Normalisation: Equatable, Sendable {
  /// One over the deviation, shape `[width]`; 1 where an element never changes.
  package let scale: [Float]
  /// Minus the mean over the deviation, shape `[width]`.
  package let shift: [Float]

  /// The largest mean, in deviations, that leaves a Float enough digits for the differences.
  private static let largestOffset = 1e4

  /// The constants of a specification's programs, where they are asked for.
  ///
  /// - Throws: ``TrainingError/offset(element:mean:deviation:)``.
  static func all(
    _ specification: NetworkSpecification, _ sequences: [TrainingSequence]
  ) throws(TrainingError) -> [Normalisation?] {
    var all: [Normalisation?] = []
    for (number, program) in specification.programs.enumerated() {
      let inputs = sequences.map {
        number < $0.context.count ? $0.context[number].inputs : $0.inputs
      }
      all.append(
        program.normalises ? try Normalisation(of: inputs, width: program.input.width) : nil)
    }
    return all
  }

  /// The constants for the frames of a set of sequences.
  private init(of sequences: [[Float]], width: Int) throws(TrainingError) {
    var count = 0.0
    var sums = [Double](repeating: 0, count: width)
    for sequence in sequences {
      count += Double(sequence.count / width)
      for (i, value) in sequence.enumerated() { sums[i % width] += Double(value) }
    }
    let means = sums.map { $0 / count }
    var squares = [Double](repeating: 0, count: width)
    for sequence in sequences {
      for (i, value) in sequence.enumerated() {
        let difference = Double(value) - means[i % width]
        squares[i % width] += difference * difference
      }
    }
    var scales: [Double] = []
    for (element, (square, mean)) in zip(squares, means).enumerated() {
      let deviation = (square / count).squareRoot()
      let isConstant = sequences.allSatisfy { sequence in
        stride(from: element, to: sequence.count, by: width).allSatisfy {
          sequence[$0] == sequences[0][element]
        }
      }
      guard isConstant || abs(mean) <= Self.largestOffset * deviation else {
        throw .offset(element: element, mean: mean, deviation: deviation)
      }
      // What rounding alone makes of an element that never changes is no deviation.
      scales.append(isConstant ? 1 : 1 / deviation)
    }
    scale = scales.map { Float($0) }
    shift = zip(scales, means).map { Float(-$1 * $0) }
  }
}
