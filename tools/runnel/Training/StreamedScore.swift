import Glibc
import Runnel
import RunnelTraining

/// How good a model is on sequences, each streamed frame by frame through the runtime.
struct StreamedScore {
  /// The predictions that were compared; texts, where the model writes them by itself.
  private(set) var count = 0
  /// Those that were right: the right class, every output on the right side of ½, the whole text.
  private(set) var right = 0
  private var squaredError = 0.0
  private var values = 0
  /// The sum of what it would take to encode the classes that were right, in bits.
  private var bits = 0.0
  private let loss: Loss
  private let writes: Bool
  private let tokens: TokenUnit?

  /// Streams.
  ///
  /// - Throws: ``StepError`` or ``DecodingError`` when the model refuses a frame.
  init(_ model: Model, _ sequences: [TrainingSequence], loss: Loss) throws {
    self.loss = loss
    tokens = model.description.metadata.tokens
    writes = sequences.contains { !$0.context.isEmpty }
    if writes {
      try write(model, sequences)
    } else {
      try stream(model, sequences)
    }
  }

  private mutating func stream(
    _ model: Model, _ sequences: [TrainingSequence]
  ) throws(StepError) {
    var stream = Stream(model)
    let width = model.frameSize
    let outputs = model.predictionSize
    for sequence in sequences {
      stream.reset()
      for index in 0..<sequence.length {
        for k in 0..<width { stream.frame[k] = sequence.inputs[index * width + k] }
        try stream.step()
        let isLast = index == sequence.length - 1
        switch sequence.targets {
        case .classAtLast(let number): if isLast { compare(stream, number) }
        case .classPerFrame(let numbers): compare(stream, numbers[index])
        case .valuesAtLast(let values): if isLast { compare(stream, values[...]) }
        case .valuesPerFrame(let values):
          compare(stream, values[index * outputs..<(index + 1) * outputs])
        }
      }
    }
  }

  /// Lets the model write, each time with the most probable token, after what its first program has
  /// read; and compares whole texts.
  private mutating func write(_ model: Model, _ sequences: [TrainingSequence]) throws {
    let program = model.programs.count - 1
    // What ends a text also stands before its first token.
    guard let end = sequences.first.map({ Int($0.inputs[0]) }) else { return }
    var decoder = try Decoder(Session(model), program: program, end: end)
    for sequence in sequences {
      guard case .classPerFrame(let expected) = sequence.targets else { continue }
      decoder.reset()
      for (number, context) in sequence.context.enumerated() {
        try decoder.session.read(context.inputs, program: number)
      }
      try decoder.append(end)
      var isRight = true
      for token in expected where isRight { isRight = try decoder.next() ?? end == token }
      count += 1
      if isRight { right += 1 }
    }
  }

  private mutating func compare(_ stream: borrowing Stream, _ number: Int) {
    count += 1
    if stream.prediction.winner(of: stream.prediction.count) == number { right += 1 }
    bits -= log2(Double(max(stream.prediction[number], .leastNormalMagnitude)))
  }

  private mutating func compare(_ stream: borrowing Stream, _ targets: ArraySlice<Float>) {
    count += 1
    var isRight = true
    for (value, target) in zip(stream.prediction, targets) {
      squaredError += Double(value - target) * Double(value - target)
      if (value > 0.5) != (target > 0.5) { isRight = false }
    }
    values += targets.count
    if isRight { right += 1 }
  }

  /// The share of predictions that are right.
  var accuracy: Double { Double(right) / Double(count) }

  /// What a token takes on average to encode, where each prediction is of one; `nil` elsewhere.
  var bitsPerToken: Double? { tokens == nil || writes ? nil : bits / Double(count) }

  /// The accuracy; of numbers, the root of the mean squared error.
  var value: Double {
    loss == .meanSquaredError ? (squaredError / Double(values)).squareRoot() : accuracy
  }

  /// The score in words.
  var text: String {
    let share = "\(accuracy.fixed(4)) (\(right.grouped) of \(count.grouped))"
    switch loss {
    case .softmaxCrossEntropy where writes: return "exact \(share), token by token"
    case .softmaxCrossEntropy where bitsPerToken != nil:
      let unit = tokens == .words ? "word" : "character"
      return "\(bitsPerToken!.fixed(4)) bits a \(unit), accuracy \(share), frame by frame"
    case .softmaxCrossEntropy, .sigmoidCrossEntropy: return "accuracy \(share), frame by frame"
    case .meanSquaredError:
      return "root mean squared error \(value) (\(count.grouped) predictions), frame by frame"
    }
  }
}
