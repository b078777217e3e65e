/// What the rows of a window should have predicted, and how much each counts.
package struct LossTargets<Scalar: TrainingScalar> {
  /// For losses over classes, one for each row; any where the weight is 0.
  package var classes: [Int]
  /// For losses over values, shape `[rows, outputSize]`; any where the weight is 0.
  package var values: [Scalar]
  /// How much the loss of each row counts.
  package var weights: [Scalar]

  /// Makes targets.
  package init(classes: [Int] = [], values: [Scalar] = [], weights: [Scalar] = []) {
    self.classes = classes
    self.values = values
    self.weights = weights
  }
}
