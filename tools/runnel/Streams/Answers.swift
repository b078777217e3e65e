import Runnel
import RunnelTraining

/// A stream whose frames come from outside and whose predictions go to standard output.
struct Answers: ~Copyable {
  private var stream: Stream
  private let format: PredictionFormat
  private let skipsBad: Bool
  /// The number of the frame that is being answered, from 1.
  private var frame = 0
  /// The frames of a sequence that wait for its end, one behind the other, and the lines they stand in.
  private var waiting: (frames: [Float], lines: [Int?]) = ([], [])
  let output = StandardOutput()

  init(stream: consuming Stream, format: PredictionFormat, skipsBad: Bool) {
    self.stream = stream
    self.format = format
    self.skipsBad = skipsBad
  }

  /// Answers lines of CSV.
  ///
  /// - Parameters:
  ///   - features: The names of a frame's elements, where the model knows them; what does not
  ///     name each element once, as a model from a stranger may, is passed over.
  ///   - resetsOnBlankLine: Whether an empty line starts a new stream.
  mutating func answerLines(
    of source: consuming ByteSource, features: [String], resetsOnBlankLine: Bool
  ) throws {
    let output = output
    var lines = LineReader(source)
    var columns = FrameColumns(size: stream.frame.count, features: features)
    while let line = try lines.next(beforeWaiting: { try output.flush() }) {
      if resetsOnBlankLine && line.isEmpty {
        try answerSequence(file: lines.file)
        stream.reset()
        try output.write(format.resetLine)
        continue
      }
      if try lines.line == 1 && columns.takeNames(line, file: lines.file) {
        try output.write(format.header)
        continue
      }
      try answer(file: lines.file, line: lines.line) { stream in
        guard !line.isEmpty else {
          throw DataError(
            file: lines.file, line: lines.line, found: "an empty line",
            expected:
              "a frame of \(stream.frame.count) numbers; with --reset-on-blank-line, a new stream starts there"
          )
        }
        try columns.fill(&stream.frame, from: line, file: lines.file, line: lines.line)
      }
    }
    try answerSequence(file: lines.file)
  }

  /// Answers frames of little-endian 32-bit floats.
  mutating func answerFloats(of source: consuming ByteSource) throws {
    let width = 4 * stream.frame.count
    let file = source.file
    var bytes: [UInt8] = []
    while true {
      var start = 0
      while bytes.count - start >= width {
        try answer(file: file, line: nil) { stream in
          for index in stream.frame.indices {
            stream.frame[index] = bytes.float(at: start + 4 * index)
          }
        }
        start += width
      }
      bytes.removeFirst(start)
      try output.flush()
      guard try source.read(into: &bytes, atMost: 1 << 16) else { break }
    }
    guard bytes.isEmpty else {
      throw DataError(
        file: file, element: "frame \(frame + 1)", found: "the end after \(bytes.count) bytes",
        expected: "\(width) bytes, \(width / 4) floats")
    }
    try answerSequence(file: file)
  }

  /// Answers the tokens of a text.
  mutating func answerText(of source: consuming ByteSource, tokens: TokenInput) throws {
    switch tokens.unit {
    case .characters: try answerCharacters(of: source, tokens)
    case .words: try answerWords(of: source, tokens)
    }
  }

  /// Answers words; every line is a stream.
  private mutating func answerWords(of source: consuming ByteSource, _ tokens: TokenInput) throws {
    let output = output
    var lines = LineReader(source)
    while let line = try lines.next(beforeWaiting: { try output.flush() }) {
      for word in tokens.unit.tokens(of: line) {
        try answer(file: lines.file, line: lines.line) { stream in
          guard let number = tokens.number(of: word) else {
            throw tokens.strange(word, file: lines.file, line: lines.line, column: nil)
          }
          tokens.write(number, into: &stream.frame)
        }
      }
      try answerSequence(file: lines.file)
      stream.reset()
      try output.write(format.resetLine)
    }
  }

  /// Answers characters; a newline that the model does not know is passed over.
  private mutating func answerCharacters(
    of source: consuming ByteSource, _ tokens: TokenInput
  ) throws {
    let file = source.file
    var bytes: [UInt8] = []
    var line = 1
    var column = 0
    var ended = false
    while !ended {
      try output.flush()
      ended = try !source.read(into: &bytes, atMost: 1 << 16)
      // A character that is not complete waits for its other bytes.
      let whole = ended ? bytes.count : bytes.count - bytes.incompleteSuffix
      for character in String(decoding: bytes[..<whole], as: UTF8.self).unicodeScalars {
        column += 1
        let number = tokens.number(of: String(character))
        if number != nil || character != "\n" {
          try answer(file: file, line: line) { stream in
            guard let number else {
              throw tokens.strange(String(character), file: file, line: line, column: column)
            }
            tokens.write(number, into: &stream.frame)
          }
        }
        if character == "\n" {
          line += 1
          column = 0
        }
      }
      bytes.removeFirst(whole)
    }
    try answerSequence(file: file)
  }

  /// Fills a frame, steps, and writes the answer; or keeps the frame up to the end of its sequence.
  private mutating func answer(
    file: String, line: Int?, fill: (inout Stream) throws -> Void
  ) throws {
    frame += 1
    var isAnswered = true
    do {
      try fill(&stream)
      if stream.needsWholeSequence {
        waiting.frames += stream.frame
        waiting.lines.append(line)
        return
      }
      do throws(StepError) {
        isAnswered = try stream.step()
      } catch {
        throw error.dataError(file: file, line: line, frame: frame)
      }
    } catch let error as DataError where skipsBad {
      StandardError.write("runnel: \(error); skipped\n")
      try output.write(format.line(frame: frame, refused: "\(error)"))
      return
    }
    try output.write(
      isAnswered
        ? format.line(frame: frame, stream.prediction) : format.lineWithoutPrediction(frame: frame))
  }

  /// Answers the frames of a sequence that is complete.
  private mutating func answerSequence(file: String) throws {
    let (frames, lines) = waiting
    waiting = ([], [])
    guard !lines.isEmpty else { return }
    let first = frame - lines.count
    let (frameSize, size) = (stream.frame.count, stream.prediction.count)
    let predictions: [Float]
    do throws(StepError) { predictions = try stream.run(frames) } catch {
      let (place, error) = error.inFrame(of: frameSize)
      throw error.dataError(file: file, line: lines[place], frame: first + place + 1)
    }
    for index in lines.indices {
      let prediction = Array(predictions[index * size..<(index + 1) * size])
      try output.write(format.line(frame: first + index + 1, prediction))
    }
  }
}

extension [UInt8] {
  /// The little-endian 32-bit float that starts at a byte.
  func float(at place: Int) -> Float {
    Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(self[place + $1]) << (8 * $1) })
  }

  /// The bytes at the end that begin a UTF-8 character and do not end it.
  fileprivate var incompleteSuffix: Int {
    for length in 1...3 where length <= count {
      let byte = self[count - length]
      if byte & 0xC0 == 0x80 { continue }
      let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return needed > length ? length : 0
    }
    return 0
  }
}
