public import Runnel

/// Why training cannot begin, or had to end.
public enum TrainingError: Error, Equatable, Sendable {
  /// A part of the specification is wrong; `layer` is its index in
  /// ``NetworkSpecification/layers``, or -1 for an input, the programs or the loss.
  case specification(SpecificationFault, layer: Int)
  /// A setting is out of range.
  case setting(SettingFault)
  /// There is not a single sequence to train on.
  case noSequences
  /// A sequence is wrong, at a frame (-1: as a whole); `split` says in which of the two sets.
  case data(DataFault, split: DataSplit, sequence: Int, frame: Int)
  /// An element of the frames, which is to be normalised, varies so little around a mean so large
  /// that a `Float` cannot hold the differences.
  case offset(element: Int, mean: Double, deviation: Double)
  /// The loss or a gradient is no longer finite. The last good checkpoint is as it was.
  case diverged(epoch: Int, minibatch: Int)
  /// The progress callback asked to stop; a checkpoint, where there is one, has been written.
  case stopped(epoch: Int, minibatch: Int)
  /// A checkpoint could not be written or read.
  case checkpointFile(ModelError)
  /// A checkpoint is damaged.
  case checkpointDamaged
  /// A checkpoint belongs to another specification, other settings or other data.
  case checkpointMismatch
}

/// What is wrong with a specification.
public enum SpecificationFault: Equatable, Sendable {
  /// There is no program, or two have the same name.
  case programs
  /// There are no layers that make a prediction.
  case noLayers
  /// A size is below 1, or too large to be counted.
  case size
  /// A rate is not in 0 ..< 1, or a deviation is negative or not finite.
  case rate
  /// A layer of kind ``LayerSpecification/state(hidden:hasCell:)`` whose input has not the size of the
  /// state.
  case stateInput
  /// A layer whose state is not as large as that of the layer of the same place in another program.
  case sharedState
  /// An embedding that is not the first layer, or stands on a vector.
  case misplacedEmbedding
  /// An index input that no embedding reads.
  case indexWithoutEmbedding
  /// An index input cannot be normalised.
  case normalisedIndex
}

/// The setting that is out of range.
public enum SettingFault: Equatable, Sendable {
  /// ``TrainingSettings/epochs`` is below 1.
  case epochs
  /// ``TrainingSettings/batchSize`` is below 1.
  case batchSize
  /// ``TrainingSettings/window`` is below 1.
  case window
  /// A coefficient of ``TrainingSettings/optimizer`` is out of range.
  case optimizer
  /// A rate or share of ``TrainingSettings/schedule`` is out of range.
  case schedule
  /// ``TrainingSettings/clipNorm`` is not above 0.
  case clipNorm
  /// ``TrainingSettings/labelSmoothing`` is not in 0 ..< 1, or not 0 with another loss.
  case labelSmoothing
  /// ``TrainingSettings/averaging`` is not in 0 ..< 1.
  case averaging
  /// ``TrainingSettings/validationFraction`` is not in 0 ..< 1, or leaves nothing to train on.
  case validationFraction
  /// ``TrainingSettings/patience`` is below 1, or there is no validation.
  case patience
  /// ``TrainingSettings/minimumCropFraction`` is not above 0 and up to 1.
  case minimumCropFraction
  /// ``TrainingSettings/scheduledSampling`` is not in 0 ... 1, or not 0 where the last program's
  /// frames are not the classes that it predicts.
  case scheduledSampling
  /// ``TrainingSettings/threads`` is below 1.
  case threads
}

/// What is wrong with a sequence.
public enum DataFault: Equatable, Sendable {
  /// Not one context for each program before the last one.
  case context
  /// A sequence without frames.
  case empty
  /// The number of inputs is not length × width.
  case raggedInputs
  /// The number of targets is not what the length and the prediction's size ask for.
  case raggedTargets
  /// The number of frame weights is not the length, or the targets are at the last frame.
  case raggedWeights
  /// Classes where the loss needs values, or values where it needs classes.
  case targetKind
  /// An input is NaN or infinite.
  case nonFiniteInput
  /// An index input is not a whole number in range.
  case indexOutOfRange
  /// A class is not in `0 ..<` the prediction's size.
  case labelOutOfRange
  /// A target is NaN or infinite, or, for sigmoid cross-entropy, not from 0 to 1.
  case targetOutOfRange
  /// A frame weight is negative or not finite, or all of them are 0.
  case weightOutOfRange
}

/// Which set of sequences.
public enum DataSplit: Equatable, Sendable {
  /// What the network learns from.
  case training
  /// What early stopping looks at.
  case validation
  /// What ``TrainedNetwork/evaluate(_:)`` was given.
  case evaluation
}
