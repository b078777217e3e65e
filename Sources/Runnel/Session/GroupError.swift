/// Why a group refused a call.
///
/// The group and its streams are then as they were before it.
public enum GroupError: Error, Equatable, Sendable {
  /// The group has as many streams as it has room for.
  case full
  /// The group has no stream of that number.
  case noSuchStream(Int)
  /// The stream is named twice.
  case streamTwice(Int)
  /// The session is of another model.
  case otherModel
  /// The model has no program of that index.
  case noSuchProgram
  /// The program has no steps: it runs over whole sequences, as ``Model/run(_:program:)`` does.
  case needsWholeSequence
  /// The frames have not as many numbers as the named streams take.
  case frameSize(expected: Int, actual: Int)
  /// The predictions have not room for as many numbers as the named streams give.
  case predictionSize(expected: Int, actual: Int)
}

extension GroupError {
  /// Throws once; see `StepError.prepare`.
  @inline(never)
  static func prepare() {
    do throws(GroupError) { try refuse(.full) } catch {}
  }

  @inline(never)
  private static func refuse(_ error: GroupError) throws(GroupError) { throw error }
}
