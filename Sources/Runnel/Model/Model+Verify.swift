/// What the golden frames gave on this machine.
public struct Verification: Equatable, Sendable {
  /// Whether every prediction is within the tolerance.
  public let ok: Bool
  /// The largest absolute deviation of a prediction from what the file says.
  public let maxDeviation: Float
  /// The largest deviation that passes.
  public let tolerance: Float
  /// The number of frames that were stepped through.
  public let frames: Int
}

extension Model {
  /// Steps through the golden frames and compares the predictions.
  ///
  /// A step that is refused counts as an infinite deviation. A model without golden frames passes
  /// with zero frames.
  ///
  /// - Complexity: A step for each golden frame, some milliseconds in all.
  public func verify() -> Verification {
    let golden = description.golden
    var session = Session(self)
    var deviation: Float = 0
    var frames = 0
    for run in golden.runs {
      let program = programs[run.program]
      if run.startsFromReset { session.reset() }
      let count = run.frames.count / program.frameSize
      var prediction = [Float](repeating: 0, count: program.predictionSize)
      for index in 0..<count {
        let first = index * program.frameSize
        let frame = run.frames[first..<first + program.frameSize]
        do {
          var span = prediction.mutableSpan
          try session.step(program: run.program, frame.span, into: &span)
        } catch {
          deviation = .infinity
        }
        for (k, value) in prediction.enumerated() {
          let expected = run.predictions[index * program.predictionSize + k]
          deviation = max(deviation, (value - expected).magnitude)
        }
      }
      frames += count
    }
    return Verification(
      ok: deviation <= golden.tolerance || frames == 0, maxDeviation: deviation,
      tolerance: golden.tolerance, frames: frames)
  }
}
