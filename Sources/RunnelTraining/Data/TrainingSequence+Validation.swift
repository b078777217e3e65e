extension [TrainingSequence] {
  /// Throws at the first sequence that does not fit the network.
  func validate(
    for specification: NetworkSpecification, outputSize: Int, split: DataSplit
  ) throws(TrainingError) {
    for (index, sequence) in enumerated() {
      do throws(SequenceFault) {
        try sequence.validate(for: specification, outputSize: outputSize)
      } catch {
        throw .data(error.fault, split: split, sequence: index, frame: error.frame)
      }
    }
  }
}

/// What is wrong with a sequence, and at which frame (-1: as a whole).
private struct SequenceFault: Error {
  let fault: DataFault
  var frame = -1
}

extension TrainingSequence {
  fileprivate func validate(
    for specification: NetworkSpecification, outputSize: Int
  ) throws(SequenceFault) {
    let programs = specification.programs
    guard context.count == programs.count - 1 else { throw SequenceFault(fault: .context) }
    for (context, program) in zip(context, programs) {
      try Self.validate(context.inputs, length: context.length, for: program.input)
    }
    try Self.validate(inputs, length: length, for: programs.last!.input)
    try validateTargets(for: specification.loss, outputSize: outputSize)
    try validateWeights()
  }

  private static func validate(
    _ inputs: [Float], length: Int, for input: NetworkSpecification.Input
  ) throws(SequenceFault) {
    let width = input.width
    guard length >= 1 else { throw SequenceFault(fault: .empty) }
    guard inputs.count == length * width else { throw SequenceFault(fault: .raggedInputs) }
    for (i, value) in inputs.enumerated() {
      guard value.isFinite else { throw SequenceFault(fault: .nonFiniteInput, frame: i / width) }
      guard case .index(let size) = input else { continue }
      guard value >= 0, value < Float(size), value == value.rounded() else {
        throw SequenceFault(fault: .indexOutOfRange, frame: i)
      }
    }
  }

  private func validateTargets(for loss: Loss, outputSize: Int) throws(SequenceFault) {
    switch targets {
    case .classAtLast(let target): try validate([target], from: length - 1, loss, outputSize)
    case .classPerFrame(let targets):
      guard targets.count == length else { throw SequenceFault(fault: .raggedTargets) }
      try validate(targets, from: 0, loss, outputSize)
    case .valuesAtLast(let values):
      guard values.count == outputSize else { throw SequenceFault(fault: .raggedTargets) }
      try validate(values, from: length - 1, loss, outputSize)
    case .valuesPerFrame(let values):
      guard values.count == length * outputSize else { throw SequenceFault(fault: .raggedTargets) }
      try validate(values, from: 0, loss, outputSize)
    }
  }

  private func validate(
    _ classes: [Int], from frame: Int, _ loss: Loss, _ outputSize: Int
  ) throws(SequenceFault) {
    guard loss == .softmaxCrossEntropy else { throw SequenceFault(fault: .targetKind) }
    for (i, target) in classes.enumerated() where !(0..<outputSize).contains(target) {
      throw SequenceFault(fault: .labelOutOfRange, frame: frame + i)
    }
  }

  private func validate(
    _ values: [Float], from frame: Int, _ loss: Loss, _ outputSize: Int
  ) throws(SequenceFault) {
    guard loss != .softmaxCrossEntropy else { throw SequenceFault(fault: .targetKind) }
    for (i, value) in values.enumerated() {
      guard value.isFinite, loss == .meanSquaredError || (0...1).contains(value) else {
        throw SequenceFault(fault: .targetOutOfRange, frame: frame + i / outputSize)
      }
    }
  }

  private func validateWeights() throws(SequenceFault) {
    guard let frameWeights else { return }
    guard frameWeights.count == length, !targets.areAtLast else {
      throw SequenceFault(fault: .raggedWeights)
    }
    for (frame, weight) in frameWeights.enumerated() where !(weight >= 0 && weight.isFinite) {
      throw SequenceFault(fault: .weightOutOfRange, frame: frame)
    }
    guard frameWeights.contains(where: { $0 > 0 }) else {
      throw SequenceFault(fault: .weightOutOfRange)
    }
  }
}

extension Targets {
  /// Whether only the last frame bears a loss.
  var areAtLast: Bool {
    switch self {
    case .classAtLast, .valuesAtLast: true
    case .classPerFrame, .valuesPerFrame: false
    }
  }
}
