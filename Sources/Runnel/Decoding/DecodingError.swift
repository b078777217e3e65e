/// Why tokens cannot be chosen or sequences of them be searched.
///
/// Nothing has changed then.
public enum DecodingError: Error, Equatable, Sendable {
  /// The temperature is not a finite number of at least 0.
  case temperature(Double)
  /// Top-k is not at least 1.
  case topK(Int)
  /// Top-p is not above 0 and at most 1.
  case topP(Double)
  /// The width of a search is not at least 1.
  case width(Int)
  /// The length of what a search finds is not at least 1.
  case maximumLength(Int)
  /// The length penalty is not a number of at least 0, or is too large for a `Double`.
  case lengthPenalty(Double)
  /// The model has no program of that index.
  case noSuchProgram(Int)
  /// The program runs over whole sequences, so that no prediction can go back in.
  case needsWholeSequence
  /// The program does not answer every frame.
  case skipsFrames
  /// The program takes more than one input, so that a frame is not one token.
  case severalInputs(Int)
  /// The program gives more than one output, so that a prediction is not probabilities alone.
  case severalOutputs(Int)
  /// The output is not what a softmax gives.
  case notProbabilities
  /// The program takes one of `taken` tokens, and gives `given` probabilities.
  case tokenCounts(taken: Int, given: Int)
  /// The token is not in `0 ..< count`.
  case tokenOutOfRange(Int, count: Int)
  /// There is no token yet that the first step could take.
  case noFirstToken
  /// The session is of another model.
  case otherModel
  /// The tokens found have more or less room than they take.
  case tokenRoom(expected: Int, actual: Int)
  /// The search found not so many hypotheses.
  case noSuchHypothesis(Int)
  /// A step was refused.
  case step(StepError)
}

extension DecodingError {
  /// Throws once; see `StepError.prepare`.
  @inline(never)
  static func prepare() {
    do throws(DecodingError) { try refuse(.noFirstToken) } catch {}
  }

  @inline(never)
  private static func refuse(_ error: DecodingError) throws(DecodingError) { throw error }
}
