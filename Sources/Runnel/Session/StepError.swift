/// Why a step was refused.
///
/// The session is then as it was before the step.
public enum StepError: Error, Equatable, Sendable {
  /// The model has no program of that index.
  case noSuchProgram
  /// The program has no steps: it runs over whole sequences, as ``Model/run(_:program:)`` does.
  case needsWholeSequence
  /// The frame has not as many numbers as the program takes.
  case frameSize(expected: Int, actual: Int)
  /// The prediction has not room for exactly as many numbers as the program gives.
  case predictionSize(expected: Int, actual: Int)
  /// The number at `index` of the frame is infinite or not a number.
  case nonFiniteInput(index: Int)
  /// The number at `index` of the frame is not one of the whole numbers that it may be.
  case indexOutOfRange(index: Int)
  /// The numbers grew beyond what a `Float` can hold.
  case nonFiniteResult
}

extension StepError {
  /// Throws once, so that the Swift runtime has looked up what throwing takes (which it does under a
  /// lock) before the first step is refused.
  @inline(never)
  static func prepare() {
    do throws(StepError) { try refuse(.noSuchProgram) } catch {}
  }

  @inline(never)
  private static func refuse(_ error: StepError) throws(StepError) { throw error }
}
