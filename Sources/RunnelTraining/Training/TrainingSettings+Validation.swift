extension TrainingSettings {
  /// Throws at the first setting that is out of range.
  func validate(loss: Loss, hasValidation: Bool) throws(TrainingError) {
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
    try require(threads.map { $0 >= 1 } ?? true, .threads)
  }
}
