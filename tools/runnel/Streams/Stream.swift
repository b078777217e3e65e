import Runnel

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
  /// The refusal in words: what was found, and what was expected.
  var found: (found: String, expected: String) {
    switch self {
    case .frameSize(let expected, let actual): ("a frame of \(actual)", "\(expected) numbers")
    case .predictionSize(let expected, let actual):
      ("room for \(actual) numbers", "room for \(expected)")
    case .nonFiniteInput(let index):
      ("a number \(index + 1) that is infinite or NaN", "finite numbers")
    case .indexOutOfRange(let index):
      ("a number \(index + 1) that is no valid index", "a whole number that the input can take")
    case .nonFiniteResult:
      ("a frame whose result a Float cannot hold", "numbers of the size that the model was trained on")
    }
  }
}
