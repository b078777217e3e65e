/// One program of a loaded model: what its frames and predictions consist of.
public struct Program: Equatable, Sendable {
  /// A named part of a frame or prediction.
  public struct Port: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The elements of the frame or prediction that belong to it.
    public let range: Range<Int>
    /// The number of values that an index can take; `nil` for real numbers.
    public let indexLimit: Int?
  }
  /// The name.
  public let name: String
  /// The parts of a frame.
  public let inputs: [Port]
  /// The parts of a prediction.
  public let outputs: [Port]
  /// The number of elements of a frame.
  public let frameSize: Int
  /// The number of elements of a prediction.
  public let predictionSize: Int
  /// Whether every frame is answered with a prediction; some models answer only every few of them.
  public let answersEveryFrame: Bool
  /// Whether all frames must be known before the first is answered, as by layers that run backward in
  /// time; there are then no steps, but ``Model/run(_:program:)``.
  public let needsWholeSequence: Bool

  init(_ program: ProgramDescription, _ shapes: ProgramShapes) {
    name = program.name
    answersEveryFrame = !program.endsSteps
    needsWholeSequence = program.needsWholeSequence
    var first = 0
    inputs = program.inputs.map { port in
      defer { first += port.width }
      return Port(
        name: port.name, range: first..<first + port.width,
        indexLimit: port.kind == .index ? port.size : nil)
    }
    first = 0
    outputs = program.outputs.map { port in
      let width = shapes.slotSizes[port.slot]
      defer { first += width }
      return Port(name: port.name, range: first..<first + width, indexLimit: nil)
    }
    frameSize = shapes.frameSize
    predictionSize = shapes.predictionSize
  }
}
