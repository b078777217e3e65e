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
      let predictions = predictions(of: run, count, &session)
      for (value, expected) in zip(predictions, run.predictions) {
        deviation = max(deviation, (value - expected).magnitude)
      }
      frames += count
    }
    return Verification(
      ok: deviation <= golden.tolerance || frames == 0, maxDeviation: deviation,
      tolerance: golden.tolerance, frames: frames)
  }
  /// The predictions of a run: zeros for frames without one, infinite numbers for those that are refused.
  private func predictions(
    of run: GoldenFrames.Run, _ count: Int, _ session: inout Session
  ) -> [Float] {
    let program = programs[run.program]
    var predictions = [Float](repeating: .infinity, count: count * program.predictionSize)
    if program.needsWholeSequence {
      let refused = predictions
      var span = predictions.mutableSpan
      do {
        try session.run(program: run.program, frames: run.frames.span, into: &span)
        return predictions
      } catch {
        return refused
      }
    }
    var prediction = [Float](repeating: 0, count: program.predictionSize)
    for index in 0..<count {
      let first = index * program.frameSize
      let frame = run.frames[first..<first + program.frameSize]
      do {
        var span = prediction.mutableSpan
        let isGiven = try session.step(program: run.program, frame.span, into: &span)
        for k in prediction.indices {
          predictions[index * program.predictionSize + k] = isGiven ? prediction[k] : 0
        }
      } catch {}
    }
    return predictions
  }
}
