import Runnel

/// After which frames of a stream a service decides.
enum DecisionTime: String {
  case every, last
}

/// What a service would decide from a prediction: of each output of several numbers the largest; of
/// an output of one number the side of ½ where it is a probability, otherwise its sign.
struct Decisions {
  private enum Rule {
    case largest(Range<Int>)
    case above(Int, threshold: Float)
  }
  private let rules: [Rule]

  init(_ description: ModelDescription, _ program: Program, number: Int) {
    let source = description.programs[number]
    rules = zip(program.outputs, source.outputs).map { port, output in
      guard port.range.count == 1 else { return .largest(port.range) }
      let operation = output.slot - source.inputs.count
      let isProbability =
        source.operations.indices ~= operation && source.operations[operation].code == .sigmoid
      return .above(port.range.lowerBound, threshold: isProbability ? 0.5 : 0)
    }
  }

  /// The decisions that a prediction leads to.
  var count: Int { rules.count }

  /// The decisions that two predictions do not share, each with its margin: how far the expected
  /// prediction is from deciding otherwise.
  func flips(_ prediction: [Float], _ expected: [Double]) -> [Double] {
    rules.compactMap { rule in
      switch rule {
      case .largest(let range):
        let found = range.max { prediction[$0] < prediction[$1] }!
        let wanted = range.max { expected[$0] < expected[$1] }!
        return found == wanted ? nil : expected[wanted] - expected[found]
      case .above(let index, let threshold):
        let isSame = (prediction[index] > threshold) == (expected[index] > Double(threshold))
        return isSame ? nil : (expected[index] - Double(threshold)).magnitude
      }
    }
  }
}
