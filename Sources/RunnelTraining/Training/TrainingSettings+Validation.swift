extension NetworkSpecification {
  /// Whether the last program's frames are the `outputSize` classes that it predicts, as numbers or as
  /// vectors with one 1.
  fileprivate func writesItsInput(outputSize: Int) -> Bool {
    guard loss == .softmaxCrossEntropy, let program = programs.last, !program.normalises else {
      return false
    }
    return switch program.input {
    case .vector(let size), .index(let size): size == outputSize
    }
  }
}

extension TrainingSettings {
  /// Throws at the first setting that is out of range.
  func validate(
    for specification: NetworkSpecification, outputSize: Int, hasValidation: Bool
  ) throws(TrainingError) {
    let loss = specification.loss
    func require(_ condition: Bool, _ fault: SettingFault) throws(TrainingError) {
      guard condition else { throw .setting(fault) }
    }
    let share: Range<Float> = 0..<1
    try require(epochs >= 1, .epochs)
    try require(batchSize >= 1, .batchSize)
    try require(window.map { $0 >= 1 } ?? true, .window)
    try require(optimizer.isValid, .optimizer)
    try require(schedule.isValid, .schedule)
    try require(clipNorm.map { $0 > 0 } ?? true, .clipNorm)
    try require(share.contains(labelSmoothing), .labelSmoothing)
    try require(labelSmoothing == 0 || loss == .softmaxCrossEntropy, .labelSmoothing)
    try require(averaging.map { share.contains($0) } ?? true, .averaging)
    try require(share.contains(validationFraction), .validationFraction)
    try require(patience.map { $0 >= 1 && hasValidation } ?? true, .patience)
    try require(minimumCropFraction.map { $0 > 0 && $0 <= 1 } ?? true, .minimumCropFraction)
    try require(
      minimumCropFraction == nil || specification.programs.count == 1, .minimumCropFraction)
    try require(
      scheduledSampling == 0
        || (0...1).contains(scheduledSampling)
          && specification.writesItsInput(outputSize: outputSize),
      .scheduledSampling)
    try require(threads.map { $0 >= 1 } ?? true, .threads)
  }
}
