/// How a network is trained.
public struct TrainingSettings: Equatable, Sendable {
  /// How often every sequence is visited, at least 1.
  public var epochs: Int
  /// How many sequences are in a minibatch, at least 1.
  public var batchSize: Int
  /// Truncated BPTT: how many frames gradients look back over, and an optimizer step covers.
  ///
  /// States carry on from window to window. `nil` means whole sequences.
  public var window: Int?
  /// How parameters follow their gradients.
  public var optimizer: OptimizerSpecification
  /// The learning rate over the run.
  public var schedule: LearningRateSchedule
  /// Gradients whose norm over all parameters is larger are scaled down to this norm.
  ///
  /// `nil` means no limit (Pascanu and others, 2013).
  public var clipNorm: Float?
  /// Softmax cross-entropy only: the share of each target that is spread evenly over all classes.
  public var labelSmoothing: Float
  /// The decay, below 1, of an exponential moving average of the parameters.
  ///
  /// It is updated with every optimizer step, and is then what is validated and exported. `nil`
  /// means none.
  public var averaging: Float?
  /// The share of the training sequences that is set aside for validation, from 0 to below 1.
  ///
  /// With classes at the last frame, it is the same share of each class. Unused when validation
  /// sequences are given.
  public var validationFraction: Float
  /// Training stops after so many epochs without a lower validation loss.
  ///
  /// `nil` means never.
  public var patience: Int?
  /// Each visit sees a random run of a sequence's frames, with at least this share of them.
  ///
  /// `nil` means whole sequences.
  public var minimumCropFraction: Float?
  /// Whether a minibatch is made of sequences of about the same length.
  ///
  /// No padding is computed either way; but where lengths differ much, the longest sequences of a
  /// minibatch run alone at its end, and products with few rows take nearly as long as those with many.
  public var buckets: Bool
  /// Scheduled sampling (Bengio and others, 2015): the share of frames, at the end of the run, in the
  /// place of which the last program is given what it itself thinks most probable after the frames
  /// before, as it will be when it writes by itself.
  ///
  /// The share rises evenly from 0. 0 is teacher forcing throughout.
  public var scheduledSampling: Float
  /// The same seed, data, specification and settings give the same bits.
  public var seed: UInt64
  /// How many threads compute; the results do not depend on it.
  ///
  /// `nil` means one for each processor.
  public var threads: Int?

  /// Makes settings; ``Trainer`` checks them.
  public init(
    epochs: Int, batchSize: Int = 16, window: Int? = nil,
    optimizer: OptimizerSpecification = .adam(),
    schedule: LearningRateSchedule = .constant(rate: 1e-3), clipNorm: Float? = 1,
    labelSmoothing: Float = 0, averaging: Float? = nil, validationFraction: Float = 0,
    patience: Int? = nil, minimumCropFraction: Float? = nil, buckets: Bool = false,
    scheduledSampling: Float = 0, seed: UInt64 = 0, threads: Int? = nil
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.window = window
    self.optimizer = optimizer
    self.schedule = schedule
    self.clipNorm = clipNorm
    self.labelSmoothing = labelSmoothing
    self.averaging = averaging
    self.validationFraction = validationFraction
    self.patience = patience
    self.minimumCropFraction = minimumCropFraction
    self.buckets = buckets
    self.scheduledSampling = scheduledSampling
    self.seed = seed
    self.threads = threads
  }
}
