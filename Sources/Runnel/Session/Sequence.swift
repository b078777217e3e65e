internal import CKernelShims

/// Streams whose next frames are all known.
///
/// Frames are lanes, each with a block of its own: an operation without a state runs for many frames
/// at once, a cell has its input's products for many frames as one matrix product and then steps
/// through them. The sums are those of single steps, in every bit.
@safe struct SequenceRun: ~Copyable {
  private let model: Model
  private let program: Program
  private let streams: Int
  /// Frames of a stream in one go.
  private let window: Int
  private let stride: Int
  private let blocks: UnsafeMutableRawPointer
  private let lanes: UnsafeMutablePointer<rn_lane>
  private let counts: UnsafeMutablePointer<Int>
  private let work: UnsafeMutableRawPointer

  /// - Parameter frames: The frames of the longest stream.
  init(_ model: Model, program: Int, streams: Int, frames: Int) {
    self.model = model
    self.program = model.programs[program]
    self.streams = streams
    // As many lanes as stay in L2 with their slots, in whole tiles; all of them where the last frame has
    // to be known.
    stride = model.sequenceByteCount + (model.sequenceByteCount % 4096 == 0 ? 64 : 0)
    window =
      self.program.needsWholeSequence
      ? frames : max(12, min(96, (512 << 10) / (stride * streams) / 12 * 12))
    unsafe blocks = .allocate(byteCount: window * streams * stride, alignment: 64)
    unsafe blocks.initializeMemory(as: UInt8.self, repeating: 0, count: window * streams * stride)
    unsafe lanes = .allocate(capacity: window * streams)
    unsafe counts = .allocate(capacity: window)
    unsafe work = .allocate(byteCount: RN_WORK_BYTES, alignment: 64)
    for lane in 0..<window * streams {
      unsafe (lanes + lane).initialize(to: rn_lane())
      unsafe lanes[lane].program = UnsafePointer(model.compiled + 2 * program)
      unsafe lanes[lane].block = blocks + lane * stride
    }
  }

  deinit {
    unsafe blocks.deallocate()
    unsafe lanes.deallocate()
    unsafe counts.deallocate()
    unsafe work.deallocate()
  }

  /// Runs all frames.
  ///
  /// - Parameters:
  ///   - sequences: The streams, longest first.
  ///   - states: The streams' states, one behind the other, before and after.
  func run(_ sequences: [KnownFrames], states: UnsafeMutableRawPointer) throws(StepError) {
    let frameSize = program.frameSize
    let predictionSize = program.predictionSize
    var done = 0
    while done < sequences[0].count {
      var frames = 0
      var lane = 0
      while frames < window, done + frames < sequences[0].count {
        var count = 0
        while count < streams, done + frames < sequences[count].count {
          let frame = unsafe sequences[count].frames + (done + frames) * frameSize
          let result = unsafe dispatchTake(
            model.level, lanes[lane].program, block: lanes[lane].block, frame: frame)
          switch result &>> 32 {
          case RN_DONE: break
          case RN_NONFINITE_INPUT:
            throw .nonFiniteInput(index: (done + frames) * frameSize + result & 0xffff_ffff)
          default:
            throw .indexOutOfRange(index: (done + frames) * frameSize + result & 0xffff_ffff)
          }
          unsafe lanes[lane].prediction =
            sequences[count].predictions + (done + frames) * predictionSize
          unsafe lanes[lane].result = Int64(RN_DONE)
          if frames == 0 {
            unsafe lanes[lane].block.copyMemory(
              from: states + count * model.stateByteCount, byteCount: model.stateByteCount)
          }
          count += 1
          lane += 1
        }
        unsafe counts[frames] = count
        frames += 1
      }
      unsafe dispatchRun(
        model.level, lanes, counts: counts, frames: frames,
        weights: UnsafeRawPointer(model.weights), work: work)
      lane = 0
      for frame in 0..<frames {
        for stream in 0..<(unsafe counts[frame]) {
          guard unsafe lanes[lane].result == Int64(RN_DONE) else { throw .nonFiniteResult }
          // The next states stand behind the current ones.
          unsafe (states + stream * model.stateByteCount).copyMemory(
            from: lanes[lane].block + model.stateByteCount, byteCount: model.stateByteCount)
          lane += 1
        }
      }
      done += frames
    }
  }
}

/// The frames of one stream, and where its predictions go.
@safe struct KnownFrames {
  let frames: UnsafePointer<Float>
  let predictions: UnsafeMutablePointer<Float>
  let count: Int
}

extension Model {
  /// Runs a program over whole sequences, each from the state that a reset gives.
  ///
  /// The predictions are, in every bit, those of a ``Session`` that steps through each sequence.
  ///
  /// - Parameters:
  ///   - sequences: The frames of each, shape `[frameCount, frameSize]`; their lengths may differ.
  ///   - program: The index of the program in ``programs``.
  /// - Returns: The predictions of each, shape `[frameCount, predictionSize]`; of models that do not
  ///   answer every frame, those that there are.
  /// - Throws: ``StepError``; an index counts from the start of the sequence.
  /// - Complexity: O(weights × frames). Allocates what a window of frames needs, or all of them where the
  ///   program needs whole sequences.
  public func run(_ sequences: [[Float]], program: Int = 0) throws(StepError) -> [[Float]] {
    guard programs.indices.contains(program) else { throw .noSuchProgram }
    let (frameSize, predictionSize) = (
      programs[program].frameSize, programs[program].predictionSize
    )
    guard programs[program].answersEveryFrame else {
      return try stepThrough(sequences, program: program)
    }
    for sequence in sequences where sequence.count % frameSize != 0 {
      throw .frameSize(expected: frameSize, actual: sequence.count % frameSize)
    }
    let counts = sequences.map { $0.count / frameSize }
    let order = sequences.indices.sorted { counts[$0] > counts[$1] }.filter { counts[$0] > 0 }
    var starts: [(frames: Int, predictions: Int)] = []
    var frames: [Float] = []
    var size = 0
    for sequence in sequences {
      starts.append((frames.count, size))
      frames += sequence
      size += sequence.count / frameSize * predictionSize
    }
    var predictions = [Float](repeating: 0, count: size)
    guard !order.isEmpty else { return sequences.map { _ in [] } }
    let states = UnsafeMutableRawPointer.allocate(
      byteCount: max(64, order.count * stateByteCount), alignment: 64)
    defer { unsafe states.deallocate() }
    for stream in order.indices {
      unsafe initialStates.withUnsafeBytes { initial in
        unsafe UnsafeMutableRawBufferPointer(
          start: states + stream * stateByteCount, count: stateByteCount
        ).copyMemory(from: initial)
      }
    }
    let runner = SequenceRun(self, program: program, streams: order.count, frames: counts[order[0]])
    var failure: StepError?
    unsafe frames.withUnsafeBufferPointer { frames in
      unsafe predictions.withUnsafeMutableBufferPointer { predictions in
        // SAFETY: each sequence's part lies within the arrays, which live until the run returns.
        let streams = order.map { sequence in
          unsafe KnownFrames(
            frames: frames.baseAddress! + starts[sequence].frames,
            predictions: predictions.baseAddress! + starts[sequence].predictions,
            count: counts[sequence])
        }
        do throws(StepError) { try unsafe runner.run(streams, states: states) } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
    return sequences.indices.map { sequence in
      let start = starts[sequence].predictions
      return Array(predictions[start..<start + counts[sequence] * predictionSize])
    }
  }

  /// Steps through sequences, from frame to frame.
  private func stepThrough(_ sequences: [[Float]], program: Int) throws(StepError) -> [[Float]] {
    let (frameSize, predictionSize) = (
      programs[program].frameSize, programs[program].predictionSize
    )
    var results: [[Float]] = []
    for sequence in sequences {
      var session = Session(self)
      var predictions = [Float](
        repeating: 0, count: sequence.count / frameSize * predictionSize)
      var span = predictions.mutableSpan
      let count = try session.run(program: program, frames: sequence.span, into: &span)
      results.append(Array(predictions[..<(count * predictionSize)]))
    }
    return results
  }

  /// Runs the first program over one whole sequence, from the state that a reset gives.
  ///
  /// - Parameters:
  ///   - sequence: The frames, shape `[frameCount, frameSize]`.
  ///   - predictions: Receives the predictions, shape `[frameCount, predictionSize]`.
  /// - Throws: ``StepError``; an index counts from the start of the sequence. Predictions may then
  ///   have been written in part.
  public func run(_ sequence: Span<Float>, into predictions: inout MutableSpan<Float>)
    throws(StepError)
  {
    var session = Session(self)
    try session.run(frames: sequence, into: &predictions)
  }
}

extension Session {
  /// Advances the stream by all frames of a sequence.
  ///
  /// The predictions and the state after it are, in every bit, those of single steps. A program that needs
  /// whole sequences takes the frames for one.
  ///
  /// - Parameters:
  ///   - program: The index of the program in ``Model/programs``.
  ///   - frames: The frames, shape `[frameCount, frameSize]`.
  ///   - predictions: Receives the predictions, shape `[frameCount, predictionSize]`; of models that do
  ///     not answer every frame, those that there are, one behind the other.
  /// - Returns: The number of predictions.
  /// - Throws: ``StepError``; an index counts from the start of the sequence. The session is then as
  ///   it was before, and predictions may have been written in part.
  /// - Complexity: O(weights × frames); allocates what a window of frames needs, or all of them where the
  ///   program needs whole sequences.
  @discardableResult
  public mutating func run(
    program: Int = 0, frames: Span<Float>, into predictions: inout MutableSpan<Float>
  ) throws(StepError) -> Int {
    guard model.programs.indices.contains(program) else { throw .noSuchProgram }
    let ports = model.programs[program]
    let count = frames.count / ports.frameSize
    guard frames.count == count * ports.frameSize else {
      throw .frameSize(expected: ports.frameSize, actual: frames.count % ports.frameSize)
    }
    guard predictions.count == count * ports.predictionSize else {
      throw .predictionSize(
        expected: count * ports.predictionSize, actual: predictions.count)
    }
    guard count > 0 else { return 0 }
    let states = UnsafeMutableRawPointer.allocate(
      byteCount: max(64, model.stateByteCount), alignment: 64)
    defer { unsafe states.deallocate() }
    unsafe copyStates(to: states)
    guard ports.answersEveryFrame else {
      do throws(StepError) {
        return try stepThrough(program: program, frames, into: &predictions)
      } catch {
        unsafe setStates(states)
        throw error
      }
    }
    let runner = SequenceRun(model, program: program, streams: 1, frames: count)
    // SAFETY: the counts were checked, and are at least 1. The pointers leave their closures but not
    // this function, and the spans keep the memory alive until it returns.
    let input = unsafe frames.withUnsafeBufferPointer { $0.baseAddress! }
    let output = unsafe predictions.withUnsafeMutableBufferPointer { $0.baseAddress! }
    try unsafe runner.run(
      [KnownFrames(frames: input, predictions: output, count: count)], states: states)
    unsafe setStates(states)
    return count
  }

  /// Steps from frame to frame, and gives the number of predictions.
  private mutating func stepThrough(
    program: Int, _ frames: Span<Float>, into predictions: inout MutableSpan<Float>
  ) throws(StepError) -> Int {
    let (frameSize, predictionSize) = (
      model.programs[program].frameSize, model.programs[program].predictionSize
    )
    var prediction = [Float](repeating: 0, count: predictionSize)
    var count = 0
    for first in stride(from: 0, to: frames.count, by: frameSize) {
      var span = prediction.mutableSpan
      let frame = frames.extracting(first..<first + frameSize)
      do throws(StepError) {
        guard try step(program: program, frame, into: &span) else { continue }
      } catch .nonFiniteInput(let index) {
        throw .nonFiniteInput(index: first + index)
      } catch .indexOutOfRange(let index) {
        throw .indexOutOfRange(index: first + index)
      }
      for k in 0..<predictionSize { predictions[count * predictionSize + k] = prediction[k] }
      count += 1
    }
    return count
  }
}
