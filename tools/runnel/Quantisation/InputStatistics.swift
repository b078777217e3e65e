import Runnel
import RunnelTraining

/// What the frames of a program look like, element by element: mean and deviation of a number, how
/// often each value of an index comes.
struct InputStatistics {
  private enum Element {
    case number(mean: Float, deviation: Float)
    /// The count of values up to each one.
    case index(cumulative: [Int])
  }
  private let elements: [Element]
  /// Where the statistics come from, in words.
  let origin: String

  /// The statistics of the golden frames, where the program has some.
  ///
  /// Otherwise numbers are what the program's own normalisation makes mean 0 and deviation 1 of, and
  /// all values of an index are as likely.
  init(_ description: ModelDescription, _ program: Program, number: Int) {
    let frames = description.golden.runs.filter { $0.program == number }.flatMap(\.frames)
    let size = program.frameSize
    let count = frames.count / size
    let normalised = Self.normalised(description.programs[number], description.tensors)
    origin =
      count > 0
      ? "as the golden frames" : normalised.isEmpty ? "mean 0, deviation 1" : "as normalised"
    var elements: [Element] = []
    for (slot, port) in program.inputs.enumerated() {
      for (offset, element) in port.range.enumerated() {
        let values = stride(from: element, to: frames.count, by: size).map { frames[$0] }
        if let limit = port.indexLimit {
          var counts = [Int](repeating: count > 0 ? 0 : 1, count: limit)
          for value in values { counts[Int(value)] += 1 }
          for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
          elements.append(.index(cumulative: counts))
        } else if count > 0 {
          let mean = values.reduce(0) { $0 + Double($1) } / Double(count)
          let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
          elements.append(
            .number(mean: Float(mean), deviation: Float((squares / Double(count)).squareRoot())))
        } else {
          elements.append(normalised[slot]?[offset] ?? .number(mean: 0, deviation: 1))
        }
      }
    }
    self.elements = elements
  }

  /// Mean and deviation of inputs that the program scales to mean 0 and deviation 1, by slot.
  private static func normalised(
    _ program: ProgramDescription, _ tensors: [TensorDescription]
  ) -> [Int: [Element]] {
    var found: [Int: [Element]] = [:]
    for operation in program.operations where operation.code == .affine {
      let (scales, shifts) = (
        tensors[operation.tensors[0]].values, tensors[operation.tensors[1]].values
      )
      guard program.inputs.indices ~= operation.operands[0], scales.allSatisfy({ $0 != 0 })
      else { continue }
      found[operation.operands[0]] = zip(scales, shifts).map { scale, shift in
        .number(mean: -shift / scale, deviation: 1 / scale.magnitude)
      }
    }
    return found
  }

  /// A frame at random; its elements are independent, and normally distributed where they are
  /// numbers.
  func write(_ frame: inout [Float], using generator: inout RandomGenerator) {
    for (index, element) in elements.enumerated() {
      switch element {
      case .number(let mean, let deviation):
        frame[index] = mean + deviation * Float(generator.normal())
      case .index(let cumulative):
        let draw = generator.index(below: cumulative.last!)
        frame[index] = Float(cumulative.firstIndex { $0 > draw }!)
      }
    }
  }
}
