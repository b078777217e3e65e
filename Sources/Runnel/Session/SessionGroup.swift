internal import CKernelShims

/// Many streams of one model, stepped together in one pass over the weights.
///
/// Each stream gets, in every bit, what a ``Session`` of its own would give, whoever shares a step.
/// Streams join and leave one by one, and a frame may come for some of them and not for others:
///
///     var group = SessionGroup(model, capacity: 64)
///     let stream = try group.join()
///     try group.submit(frame.span, to: stream)             // for each stream that has a frame
///     group.step()
///     try group.prediction(of: stream, into: &prediction)  // for each stream that had one
///
/// All memory is allocated at the start: ``Model/groupByteCount(capacity:threads:)``. A group may move
/// between threads, but is used by one at a time, which the compiler checks.
@safe public struct SessionGroup: ~Copyable, @unchecked Sendable {
  // SAFETY (`Sendable`): only the group knows its memory, and it cannot be copied.

  /// The model that the streams step.
  public let model: Model
  /// How many streams there can be at once.
  public let capacity: Int
  /// The number of streams.
  public private(set) var count = 0
  private let level: InstructionLevel
  private let weights: UnsafeRawPointer
  private let programs: UnsafePointer<rn_program>
  private let programCount: Int
  /// The streams' blocks.
  private let blocks: UnsafeMutableRawPointer
  private let blockStride: Int
  private let streams: UnsafeMutablePointer<GroupStream>
  /// The lanes of the current step, and the number of each lane's stream.
  private let lanes: UnsafeMutablePointer<rn_lane>
  private let laneStreams: UnsafeMutablePointer<Int>
  /// This thread's working memory.
  private let work: UnsafeMutableRawPointer
  private let helper: GroupHelper?
  /// What the second thread is offered, if there is one.
  private let job: UnsafeMutablePointer<rn_job>?

  /// Makes room for streams.
  ///
  /// - Parameters:
  ///   - model: The model that the streams step.
  ///   - capacity: The largest number of streams at once, at least 1.
  ///   - threads: 1, or 2 to have half of the streams stepped by a second thread. That thread
  ///     belongs to the group and waits for work without ever sleeping: it keeps a core busy.
  /// - Complexity: Allocates ``Model/groupByteCount(capacity:threads:)`` bytes.
  public init(_ model: Model, capacity: Int, threads: Int = 1) {
    precondition(capacity > 0, "a group has room for at least one stream")
    precondition(threads == 1 || threads == 2, "a group runs on one or two threads")
    self.model = model
    self.capacity = capacity
    level = model.level
    unsafe weights = UnsafeRawPointer(model.weights)
    unsafe programs = UnsafePointer(model.compiled)
    programCount = model.programs.count
    blockStride = model.groupBlockStride
    unsafe blocks = .allocate(byteCount: capacity * blockStride, alignment: 64)
    unsafe blocks.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * blockStride)
    unsafe streams = .allocate(capacity: capacity)
    unsafe streams.initialize(repeating: GroupStream(), count: capacity)
    unsafe lanes = .allocate(capacity: capacity)
    unsafe lanes.initialize(repeating: rn_lane(), count: capacity)
    unsafe laneStreams = .allocate(capacity: capacity)
    unsafe laneStreams.initialize(repeating: 0, count: capacity)
    unsafe work = .allocate(byteCount: RN_WORK_BYTES, alignment: 64)
    helper = threads > 1 ? unsafe GroupHelper(level, weights: weights) : nil
    unsafe job = helper.map { unsafe $0.job }
  }

  deinit {
    helper?.stop()
    unsafe blocks.deallocate()
    unsafe streams.deallocate()
    unsafe lanes.deallocate()
    unsafe laneStreams.deallocate()
    unsafe work.deallocate()
  }

  /// Starts a stream, in the state that a reset gives.
  ///
  /// - Returns: The stream's number, 0 up to the capacity; numbers of streams that have left are
  ///   given again.
  /// - Throws: ``StepError/groupIsFull``.
  /// - Complexity: O(capacity). Never allocates, locks or calls the system.
  public mutating func join() throws(StepError) -> Int {
    for stream in 0..<capacity where unsafe !streams[stream].isJoined {
      unsafe streams[stream] = GroupStream()
      unsafe streams[stream].isJoined = true
      count += 1
      start(stream)
      return stream
    }
    throw .groupIsFull
  }

  /// Ends a stream.
  ///
  /// - Throws: ``StepError/noSuchStream``.
  public mutating func leave(_ stream: Int) throws(StepError) {
    try check(stream)
    unsafe streams[stream] = GroupStream()
    count -= 1
  }

  /// Starts a stream again; a frame that has been submitted and not stepped is forgotten.
  ///
  /// - Throws: ``StepError/noSuchStream``.
  /// - Complexity: O(states). Never allocates, locks or calls the system.
  public mutating func reset(_ stream: Int) throws(StepError) {
    try check(stream)
    unsafe streams[stream] = GroupStream()
    unsafe streams[stream].isJoined = true
    start(stream)
  }

  /// Gives the next frame of a stream, which the next step takes; a second one replaces the first.
  ///
  /// - Parameters:
  ///   - frame: One frame, shape `[frameSize]`.
  ///   - stream: The stream.
  ///   - program: The index of the program in ``Model/programs`` that is to run.
  /// - Throws: ``StepError``. The stream is then as it was, without a frame for the next step.
  /// - Complexity: O(frame). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func submit(_ frame: Span<Float>, to stream: Int, program: Int = 0)
    throws(StepError)
  {
    try check(stream)
    unsafe streams[stream].program = -1
    guard program >= 0, program < programCount else { throw .noSuchProgram }
    let compiled = unsafe programs + (2 &* program &+ streams[stream].turn)
    let frameSize = unsafe Int(truncatingIfNeeded: compiled.pointee.frameSize)
    guard frame.count == frameSize else {
      throw .frameSize(expected: frameSize, actual: frame.count)
    }
    // SAFETY: the count was checked, and is at least 1. The pointer leaves its closure but not this
    // function, and the span keeps the memory alive and unchanged until it returns.
    let input = unsafe frame.withUnsafeBufferPointer { $0.baseAddress! }
    let result = unsafe dispatchTake(level, compiled, block: block(stream), frame: input)
    switch result &>> 32 {
    case RN_DONE: unsafe streams[stream].program = program
    case RN_NONFINITE_INPUT: throw .nonFiniteInput(index: result & 0xffff_ffff)
    default: throw .indexOutOfRange(index: result & 0xffff_ffff)
    }
  }

  /// Advances the streams that have a frame for a program.
  ///
  /// A stream whose result is not finite is then as it was before, and so are streams without a
  /// frame.
  ///
  /// - Parameter program: The index of the program in ``Model/programs``.
  /// - Returns: The number of streams that had a frame.
  /// - Complexity: O(weights × streams). Never allocates, locks or calls the system.
  @discardableResult
  @_noAllocation @_noLocks
  public mutating func step(program: Int = 0) -> Int {
    var count = 0
    var stream = 0
    while stream < capacity {
      unsafe streams[stream].hasPrediction = false
      if unsafe streams[stream].isJoined && streams[stream].program == program {
        unsafe lanes[count].program = programs + (2 &* program &+ streams[stream].turn)
        unsafe lanes[count].block = block(stream)
        unsafe laneStreams[count] = stream
        count &+= 1
      }
      stream &+= 1
    }
    guard count > 0 else { return 0 }
    if let job = unsafe job {
      unsafe runOnTwoThreads(job, level, lanes, count, weights: weights, work: work)
    } else {
      unsafe dispatchRun(level, lanes, count, weights: weights, work: work)
    }
    var lane = 0
    while lane < count {
      let stream = unsafe laneStreams[lane]
      unsafe streams[stream].program = -1
      unsafe streams[stream].stepped = program
      unsafe streams[stream].hasPrediction = true
      unsafe streams[stream].isFinite = lanes[lane].isFinite != 0
      if unsafe streams[stream].isFinite {
        unsafe streams[stream].turn = 1 &- streams[stream].turn
      }
      lane &+= 1
    }
    return count
  }

  /// Gives what the last step predicted for a stream.
  ///
  /// - Parameters:
  ///   - stream: The stream.
  ///   - prediction: Receives the prediction, shape `[predictionSize]`.
  /// - Throws: ``StepError/noPrediction`` where the stream had no frame in the last step,
  ///   ``StepError/nonFiniteResult`` where its step failed.
  /// - Complexity: O(prediction). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public func prediction(of stream: Int, into prediction: inout MutableSpan<Float>)
    throws(StepError)
  {
    try check(stream)
    guard unsafe streams[stream].hasPrediction else { throw .noPrediction }
    guard unsafe streams[stream].isFinite else { throw .nonFiniteResult }
    let compiled =
      unsafe programs
      + (2 &* streams[stream].stepped &+ 1 &- streams[stream].turn)
    let size = unsafe Int(truncatingIfNeeded: compiled.pointee.predictionSize)
    guard prediction.count == size else {
      throw .predictionSize(expected: size, actual: prediction.count)
    }
    let level = level
    let block = unsafe block(stream)
    // SAFETY: the count was checked, and is at least 1.
    unsafe prediction.withUnsafeMutableBufferPointer { prediction in
      unsafe dispatchGive(level, compiled, block: block, prediction: prediction.baseAddress!)
    }
  }

  @inline(always) @_noAllocation @_noLocks
  private func check(_ stream: Int) throws(StepError) {
    guard stream >= 0, stream < capacity else { throw .noSuchStream }
    let isJoined = unsafe streams[stream].isJoined
    guard isJoined else { throw .noSuchStream }
  }

  @inline(always) @_noAllocation @_noLocks
  private func block(_ stream: Int) -> UnsafeMutableRawPointer {
    unsafe blocks + stream &* blockStride
  }

  private func start(_ stream: Int) {
    let block = unsafe block(stream)
    unsafe model.initialStates.withUnsafeBytes { states in
      unsafe UnsafeMutableRawBufferPointer(start: block, count: states.count).copyMemory(
        from: states)
    }
  }
}

/// What a group knows of a stream.
private struct GroupStream: BitwiseCopyable {
  var isJoined = false
  /// Whether the last step had a frame of the stream, and whether its result was finite.
  var hasPrediction = false
  var isFinite = false
  /// Which of the two buffers of states is the current one.
  var turn = 0
  /// The program that the submitted frame is for; -1 without one.
  var program = -1
  /// The program of the last step.
  var stepped = 0
}

extension Model {
  /// Bytes that a ``SessionGroup`` allocates for a number of streams, the second thread's stack apart.
  public func groupByteCount(capacity: Int, threads: Int = 1) -> Int {
    let lane = unsafe MemoryLayout<rn_lane>.stride + MemoryLayout<Int>.stride
    return capacity * (groupBlockStride + MemoryLayout<GroupStream>.stride + lane)
      + threads * RN_WORK_BYTES
  }

  /// Bytes from one stream's block to the next; no multiple of 4 KiB, at which distance memory
  /// accesses hinder each other.
  fileprivate var groupBlockStride: Int {
    max(64, sessionByteCount + (sessionByteCount % 4096 == 0 ? 64 : 0))
  }
}
