import Runnel
import RunnelTraining

/// How good a model is on sequences, each streamed frame by frame through the runtime.
struct StreamedScore {
  /// The predictions that were compared.
  private(set) var count = 0
  /// Those that were right: the right class, or every output on the right side of ½.
  private(set) var right = 0
  private var squaredError = 0.0
  private var values = 0
  private let loss: Loss

  /// Streams.
  ///
  /// - Throws: ``StepError`` when the model refuses a frame.
  init(_ model: Model, _ sequences: [TrainingSequence], loss: Loss) throws(StepError) {
    self.loss = loss
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

  private mutating func compare(_ stream: borrowing Stream, _ number: Int) {
    count += 1
    if stream.prediction.winner(of: stream.prediction.count) == number { right += 1 }
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

  /// The score in words.
  var text: String {
    switch loss {
    case .softmaxCrossEntropy, .sigmoidCrossEntropy:
      "accuracy \(accuracy.fixed(4)) (\(right.grouped) of \(count.grouped))"
    case .meanSquaredError:
      "root mean squared error \((squaredError / Double(values)).squareRoot()) "
        + "(\(count.grouped) predictions)"
    }
  }
}
