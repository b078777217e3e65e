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

  /// Advances by ``frame`` and leaves the prediction, if there is one, in ``prediction``.
  ///
  /// - Returns: Whether there is a prediction.
  @discardableResult
  mutating func step() throws(StepError) -> Bool {
    try Self.step(&session, program, frame, &prediction)
  }

  private static func step(
    _ session: inout Session, _ program: Int, _ frame: [Float], _ prediction: inout [Float]
  ) throws(StepError) -> Bool {
    var span = prediction.mutableSpan
    return try session.step(program: program, frame.span, into: &span)
  }

  /// The predictions of all frames of a sequence, one behind the other.
  mutating func run(_ frames: [Float]) throws(StepError) -> [Float] {
    let count = frames.count / frame.count
    var predictions = [Float](repeating: 0, count: count * prediction.count)
    var span = predictions.mutableSpan
    try session.run(program: program, frames: frames.span, into: &span)
    return predictions
  }

  /// Whether the program runs over whole sequences.
  var needsWholeSequence: Bool { session.model.programs[program].needsWholeSequence }

  /// Starts again.
  mutating func reset() { session.reset() }
}

extension [Float] {
  /// The place of the largest of the first `count` numbers.
  func winner(of count: Int) -> Int {
    self[..<count].indices.max { self[$0] < self[$1] }!
  }
}

extension StepError {
  /// The refusal of a sequence as that of one of its frames, which it names.
  func inFrame(of size: Int) -> (frame: Int, error: StepError) {
    switch self {
    case .nonFiniteInput(let index): (index / size, .nonFiniteInput(index: index % size))
    case .indexOutOfRange(let index): (index / size, .indexOutOfRange(index: index % size))
    default: (0, self)
    }
  }

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
    case .needsWholeSequence:
      error.found = "one frame for a program that runs over whole sequences"
      error.expected = "all frames of the sequence at once"
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
