/// What training makes small, as a mean over the frames that bear a loss.
public enum Loss: Equatable, Sendable, CaseIterable {
  /// Cross-entropy of a softmax over the outputs with the class that was right; targets are
  /// classes. As `torch.nn.CrossEntropyLoss`.
  case softmaxCrossEntropy
  /// Cross-entropy of a sigmoid of each output with a target from 0 to 1, as a mean over the
  /// outputs; targets are values. As `torch.nn.BCEWithLogitsLoss`.
  case sigmoidCrossEntropy
  /// The squared difference, as a mean over the outputs, without a factor ½; targets are values.
  /// As `torch.nn.MSELoss`.
  case meanSquaredError
}
