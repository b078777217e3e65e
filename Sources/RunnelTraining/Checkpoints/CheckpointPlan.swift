/// Where a run saves itself, and how often besides the end of every epoch.
public struct CheckpointPlan: Equatable, Sendable {
  /// The file, which is replaced atomically.
  ///
  /// If it exists, the run resumes from it, and ends with the bits that it would have ended with
  /// had it never been interrupted.
  public var path: String
  /// A checkpoint is also written after so many minibatches; `nil` means at epoch ends only.
  public var minibatches: Int?
  /// A checkpoint is written at the end of so many epochs, and of the last.
  public var epochs: Int

  /// Makes a plan.
  public init(path: String, minibatches: Int? = nil, epochs: Int = 1) {
    self.path = path
    self.minibatches = minibatches
    self.epochs = epochs
  }
}
