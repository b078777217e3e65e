import Runnel
import RunnelTraining

/// What a model's first program reads before another one writes: a line of tokens or of numbers.
struct SourceLine {
  private let tokens: TokenInput?
  private let frameSize: Int

  init(_ model: Model) {
    tokens = TokenInput(model, program: 0)
    frameSize = model.programs[0].frameSize
  }

  /// The frames that a line holds, one behind the other.
  ///
  /// Numbers are one frame, with spaces or commas between them.
  func frames(of text: String, file: String, line: Int?) throws(DataError) -> [Float] {
    guard let tokens else { return try numbers(of: text, file: file, line: line) }
    let numbers = try tokens.numbers(of: text, file: file, line: line)
    guard !numbers.isEmpty else {
      throw DataError(
        file: file, line: line, found: "nothing", expected: "some \(tokens.unit) to read")
    }
    return numbers.flatMap { number in
      var frame = [Float](repeating: 0, count: frameSize)
      tokens.write(number, into: &frame)
      return frame
    }
  }

  private func numbers(of text: String, file: String, line: Int?) throws(DataError) -> [Float] {
    let fields = text.split { $0 == " " || $0 == "," }
    guard fields.count == frameSize else {
      throw DataError(
        file: file, line: line, found: "\(fields.count) numbers",
        expected: "\(frameSize), the size of the model's frames")
    }
    var numbers: [Float] = []
    for (index, field) in fields.enumerated() {
      guard let number = Float(field), number.isFinite else {
        throw DataError(
          file: file, line: line, column: index + 1, found: "'\(field)'",
          expected: "a finite number")
      }
      numbers.append(number)
    }
    return numbers
  }
}

extension Session {
  /// Takes frames in with a program, whose outputs nobody asks for.
  mutating func read(_ frames: [Float], program: Int) throws(StepError) {
    let size = model.programs[program].frameSize
    var prediction = [Float](repeating: 0, count: model.programs[program].predictionSize)
    for start in stride(from: 0, to: frames.count, by: size) {
      let frame = Array(frames[start..<start + size])
      var span = prediction.mutableSpan
      try step(program: program, frame.span, into: &span)
    }
  }
}
