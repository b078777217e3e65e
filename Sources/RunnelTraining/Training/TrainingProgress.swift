/// Where a run stands; handed to the callback after every minibatch and after every epoch.
public struct TrainingProgress: Sendable {
  /// The epoch, from 1 to ``epochs``.
  public var epoch: Int
  /// How many epochs there will be, if nothing stops the run early.
  public var epochs: Int
  /// The minibatches of this epoch that are done.
  public var minibatch: Int
  /// The minibatches of an epoch.
  public var minibatches: Int
  /// How much of the whole run is done, from 0 to 1.
  public var fraction: Double
  /// How long the rest takes if it is as fast as what this process has done of it.
  public var secondsLeft: Double
  /// Loss and metric on the training set, over this epoch so far.
  public var training: Evaluation
  /// The norm of the gradient over all parameters, before ``TrainingSettings/clipNorm`` limits it:
  /// the largest of the latest minibatch's updates, of which truncated BPTT has one for each window.
  public var gradientNorm: Double
  /// The latest epoch with its validation, if this is the end of an epoch.
  public var completedEpoch: EpochRecord?
}

/// What the progress callback wants.
public enum TrainingDirection: Equatable, Sendable {
  /// Go on.
  case proceed
  /// Write a checkpoint, if there is a plan, and throw ``TrainingError/stopped(epoch:minibatch:)``.
  case stop
}

/// What an epoch came to: a point of the training curve.
public struct EpochRecord: Equatable, Sendable {
  /// The epoch, from 1.
  public var epoch: Int
  /// The learning rate of the last optimizer step.
  public var learningRate: Float
  /// Loss and metric on the training set over the epoch, as the parameters changed, with dropout,
  /// noise and label smoothing.
  public var training: Evaluation
  /// The loss and metric on the validation set after the epoch, where there is one.
  public var validation: Evaluation?
}

/// What a network comes to on a set of sequences.
public struct Evaluation: Equatable, Sendable {
  /// What ``metric`` is.
  public enum MetricKind: Equatable, Sendable {
    /// The share of predictions that are right, from 0 to 1 (more is better): the class with the
    /// largest output, or each output on the right side of ½.
    case accuracy
    /// The root of the mean squared error (less is better).
    case rootMeanSquaredError
  }
  /// The mean loss; without label smoothing, unless it is the one that training makes small.
  public var loss: Double
  /// Accuracy or error.
  public var metric: Double
  /// Which of the two.
  public var metricKind: MetricKind

  /// Makes an evaluation.
  public init(loss: Double, metric: Double, metricKind: MetricKind) {
    self.loss = loss
    self.metric = metric
    self.metricKind = metricKind
  }
}
