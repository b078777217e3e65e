import Runnel
import RunnelTraining

/// The frames that a model is tried on, one by one.
struct FrameSource {
  /// A stretch of frames of one program.
  struct Sequence {
    var program = 0
    /// Whether the state is reset before it.
    let startsFromReset: Bool
    let frames: [Float]
  }
  private enum Kind {
    case sequences([Sequence])
    case random(InputStatistics, program: Int)
  }

  /// All frames that come.
  let count: Int
  /// Where they come from, in words.
  let origin: String
  private let kind: Kind
  private let frameSizes: [Int]
  private var generator: RandomGenerator
  private var sequence = 0
  private var start = 0
  /// The frames that came.
  private var passed = 0

  /// The frame that came last.
  private(set) var frame: [Float] = []
  /// Whether that was the last frame of a stream.
  ///
  /// What comes next then starts from a reset, or nothing comes. Random frames end no stream, and
  /// neither does a count that stops inside one.
  private(set) var endsStream = false

  /// The golden frames of a model, once.
  ///
  /// - Returns: `nil` where it has none.
  static func golden(_ model: Model) -> FrameSource? {
    let sequences = model.description.golden.runs.map { run in
      Sequence(program: run.program, startsFromReset: run.startsFromReset, frames: run.frames)
    }
    guard !sequences.isEmpty else { return nil }
    return FrameSource(model, .sequences(sequences), count: nil, origin: "golden frames")
  }

  /// The frames of a file.
  ///
  /// - Parameter count: How many; the file is gone through again and again, or in part. Of a file
  ///   of one stream the state then goes on from its end to its start.
  static func file(
    _ file: FrameFile, _ path: String, _ model: Model, program: Int, count: Int?
  ) -> FrameSource {
    let isOne = file.sequences.count == 1
    let sequences = file.sequences.map { frames in
      Sequence(program: program, startsFromReset: !isOne, frames: frames)
    }
    return FrameSource(model, .sequences(sequences), count: count, origin: path)
  }

  /// Frames at random.
  static func random(_ model: Model, program: Int, count: Int, seed: UInt64) -> FrameSource {
    let statistics = InputStatistics(
      model.description, model.programs[program], number: program)
    return FrameSource(
      model, .random(statistics, program: program), count: count,
      origin: "random frames, \(statistics.origin)", seed: seed)
  }

  private init(_ model: Model, _ kind: Kind, count: Int?, origin: String, seed: UInt64 = 0) {
    self.kind = kind
    self.origin = origin
    let sizes = model.programs.map(\.frameSize)
    frameSizes = sizes
    generator = RandomGenerator(seed: seed, purpose: .measuring)
    switch kind {
    case .sequences(let all):
      self.count = count ?? all.reduce(0) { $0 + $1.frames.count / sizes[$1.program] }
    case .random: self.count = count!
    }
  }

  /// Whether a stream ends among the frames.
  var hasStreamEnd: Bool {
    guard case .sequences(let all) = kind else { return false }
    var end = 0
    for (index, sequence) in all.enumerated() {
      end += sequence.frames.count / frameSizes[sequence.program]
      if end <= count && all[(index + 1) % all.count].startsFromReset { return true }
    }
    return count.isMultiple(of: end)
  }

  /// Makes the next frame the one in ``frame``.
  ///
  /// - Returns: Its program, and whether the state is reset before it.
  mutating func next() -> (program: Int, resets: Bool) {
    passed += 1
    switch kind {
    case .random(let statistics, let program):
      if frame.isEmpty { frame = Array(repeating: 0, count: frameSizes[program]) }
      statistics.write(&frame, using: &generator)
      return (program, false)
    case .sequences(let all):
      if start == all[sequence].frames.count {
        start = 0
        sequence = (sequence + 1) % all.count
      }
      let current = all[sequence]
      let size = frameSizes[current.program]
      frame = Array(current.frames[start..<start + size])
      let resets = start == 0 && current.startsFromReset
      start += size
      endsStream =
        start == current.frames.count
        && (passed == count || all[(sequence + 1) % all.count].startsFromReset)
      return (current.program, resets)
    }
  }
}
