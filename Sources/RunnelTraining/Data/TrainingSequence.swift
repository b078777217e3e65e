/// One sequence of frames with what should be predicted from them.
public struct TrainingSequence: Equatable, Sendable {
  /// Frames that a program before the last one takes in.
  public struct Context: Equatable, Sendable {
    /// The frames, shape `[length, width]` row-major; `width` is that program's.
    public var inputs: [Float]
    /// The number of frames, at least 1.
    public var length: Int

    /// Makes a context.
    public init(inputs: [Float], length: Int) {
      self.inputs = inputs
      self.length = length
    }
  }

  /// What the programs before the last one take in, one for each of them, in order: the source that
  /// an encoder reads, the image that a caption is about.
  public var context: [Context]
  /// The frames of the last program, shape `[length, width]` row-major; `width` is the input's (1 for
  /// an index).
  public var inputs: [Float]
  /// The number of frames, at least 1.
  public var length: Int
  /// What should be predicted, and at which frames.
  public var targets: Targets
  /// How much the loss of each frame counts, shape `[length]`, none below 0.
  ///
  /// `nil` means 1 for all. Only for targets per frame.
  public var frameWeights: [Float]?

  /// Makes a sequence; ``Trainer`` checks that the shapes agree.
  public init(
    context: [Context] = [], inputs: [Float], length: Int, targets: Targets,
    frameWeights: [Float]? = nil
  ) {
    self.context = context
    self.inputs = inputs
    self.length = length
    self.targets = targets
    self.frameWeights = frameWeights
  }
}

/// What should be predicted, and at which frames; `O` is the size of a prediction.
public enum Targets: Equatable, Sendable {
  /// Many-to-one: a class from `0 ..< O`, predicted at the last frame.
  case classAtLast(Int)
  /// Many-to-many in step: a class from `0 ..< O` at each frame, shape `[length]`.
  case classPerFrame([Int])
  /// Many-to-one: values predicted at the last frame, shape `[O]`.
  case valuesAtLast([Float])
  /// Many-to-many in step: values at each frame, shape `[length, O]` row-major.
  case valuesPerFrame([Float])
}
