import Runnel
import RunnelTraining

/// A session with the memory for a frame and a prediction.
struct Stream: ~Copyable {
  /// The frame that ``step()`` takes.
  var frame: [Float]
  /// What the last step gave.
  private(set) var prediction: [Float]
  private var session: Session
  private let program: Int

  /// Starts a stream of one program.
  init(_ model: Model, program: Int = 0) {
    session = Session(model)
    self.program = program
    frame = Array(repeating: 0, count: model.programs[program].frameSize)
    prediction = Array(repeating: 0, count: model.programs[program].predictionSize)
  }

  /// Advances by ``frame`` and leaves the prediction in ``prediction``.
  mutating func step() throws(StepError) {
    try Self.step(&session, program, frame, &prediction)
  }

  private static func step(
    _ session: inout Session, _ program: Int, _ frame: [Float], _ prediction: inout [Float]
  ) throws(StepError) {
    var span = prediction.mutableSpan
    try session.step(program: program, frame.span, into: &span)
  }

  /// Starts again.
  mutating func reset() { session.reset() }

  /// The element of the first `count` of the prediction that is the largest.
  func winner(of count: Int) -> Int {
    prediction[..<count].indices.max { prediction[$0] < prediction[$1] }!
  }
}

extension StepError {
  /// The refusal of a frame, with its place in the input.
  func dataError(file: String, line: Int?, frame: Int?) -> DataError {
    var error = DataError(file: file, line: line, found: "", expected: "")
    if line == nil, let frame { error.element = "frame \(frame)" }
    switch self {
    case .noSuchProgram:
      error.found = "a frame for a program that the model has not"
      error.expected = "one of its programs"
    case .frameSize(let expected, let actual):
      error.found = "\(actual) numbers"
      error.expected = "\(expected), the size of the model's frames"
    case .predictionSize(let expected, let actual):
      error.found = "room for \(actual) numbers"
      error.expected = "room for \(expected)"
    case .nonFiniteInput(let index):
      error.column = index + 1
      error.found = "a number that is infinite or NaN"
      error.expected = "a finite number"
    case .indexOutOfRange(let index):
      error.column = index + 1
      error.found = "a number that is no valid index"
      error.expected = "a whole number from 0 to below the size of the model's input"
    case .nonFiniteResult:
      error.found = "numbers whose result a Float cannot hold"
      error.expected = "numbers of the size that the model was trained on"
    }
    return error
  }
}
