internal import CKernelShims

/// Many streams of one model, stepped together in one pass over the weights.
///
/// Each stream gets, in every bit, what a ``Session`` of its own would give, whoever shares a step.
/// Streams join and leave one by one, and a step takes a frame of some of them or of all:
///
///     var group = SessionGroup(model, capacity: 64)
///     streams.append(try group.join())
///     // Row i of the frames and of the predictions is of stream streams[i].
///     var rows = predictions.mutableSpan
///     let refused = try group.step(streams.span, frames: frames.span, into: &rows)
///
/// All memory is allocated at the start: ``Model/groupByteCount(capacity:threads:)``. A group may move
/// between threads, but is used by one at a time, which the compiler checks.
@safe public struct SessionGroup: ~Copyable, @unchecked Sendable {
  // SAFETY (`Sendable`): only the group and its helper know its memory, and it cannot be copied.

  /// The model that the streams step.
  public let model: Model
  /// How many streams there can be at once.
  public let capacity: Int
  /// The number of streams.
  public private(set) var count = 0
  private let programs: UnsafePointer<rn_program>
  private let programCount: Int
  /// The streams' blocks.
  private let blocks: UnsafeMutableRawPointer
  private let blockStride: Int
  private let stateByteCount: Int
  private let members: UnsafeMutablePointer<GroupMember>
  private let streams: UnsafeMutablePointer<GroupStream>
  private let lanes: UnsafeMutablePointer<rn_lane>
  private let groupStep: UnsafeMutablePointer<GroupStep>
  private let weights: UnsafeRawPointer
  /// This thread's working memory.
  private let work: UnsafeMutableRawPointer
  private let helper: GroupHelper?
  /// What the second thread is offered, if there is one.
  private let job: UnsafeMutablePointer<rn_job>?
  /// The number of the last call of `step`.
  private var call: UInt64 = 0

  /// Makes room for streams.
  ///
  /// - Parameters:
  ///   - model: The model that the streams step.
  ///   - capacity: The largest number of streams at once, at least 1.
  ///   - threads: 1, or 2 to have half of a step's rows stepped by a second thread. That thread
  ///     belongs to the group, has a copy of the weights, and waits for work without ever sleeping: it
  ///     keeps a core busy.
  /// - Complexity: Allocates ``Model/groupByteCount(capacity:threads:)`` bytes.
  public init(_ model: Model, capacity: Int, threads: Int = 1) {
    precondition(capacity > 0, "a group has room for at least one stream")
    precondition(threads == 1 || threads == 2, "a group runs on one or two threads")
    self.model = model
    self.capacity = capacity
    unsafe programs = UnsafePointer(model.compiled)
    programCount = model.programs.count
    blockStride = model.groupBlockStride
    stateByteCount = model.stateByteCount
    unsafe blocks = .allocate(byteCount: capacity * blockStride, alignment: 64)
    unsafe blocks.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * blockStride)
    unsafe members = .allocate(capacity: capacity)
    unsafe members.initialize(repeating: GroupMember(), count: capacity)
    unsafe streams = .allocate(capacity: capacity)
    unsafe streams.initialize(repeating: GroupStream(), count: capacity)
    unsafe lanes = .allocate(capacity: capacity)
    unsafe lanes.initialize(repeating: rn_lane(), count: capacity)
    unsafe groupStep = .allocate(capacity: 1)
    unsafe groupStep.initialize(
      to: GroupStep(
        model, blocks: blocks, blockStride: blockStride, streams: streams, lanes: lanes))
    unsafe weights = UnsafeRawPointer(model.weights)
    unsafe work = .allocate(byteCount: RN_WORK_BYTES, alignment: 64)
    helper = threads > 1 ? unsafe GroupHelper(UnsafePointer(groupStep), model) : nil
    unsafe job = helper.map { unsafe $0.job }
    GroupError.prepare()
  }

  deinit {
    helper?.stop()
    unsafe blocks.deallocate()
    unsafe members.deallocate()
    unsafe streams.deallocate()
    unsafe lanes.deallocate()
    unsafe groupStep.deallocate()
    unsafe work.deallocate()
  }

  /// Starts a stream, in the state that a reset gives.
  ///
  /// - Returns: The stream's number, 0 up to the capacity; numbers of streams that have left are
  ///   given again.
  /// - Throws: ``GroupError/full``.
  /// - Complexity: O(capacity + states). Never allocates, locks or calls the system.
  public mutating func join() throws(GroupError) -> Int {
    for stream in 0..<capacity where unsafe !members[stream].isJoined {
      unsafe members[stream].isJoined = true
      count += 1
      start(stream)
      return stream
    }
    throw .full
  }

  /// Ends a stream.
  ///
  /// - Throws: ``GroupError/noSuchStream(_:)``.
  public mutating func leave(_ stream: Int) throws(GroupError) {
    try check(stream)
    unsafe members[stream].isJoined = false
    count -= 1
  }

  /// Starts a stream again.
  ///
  /// - Throws: ``GroupError/noSuchStream(_:)``.
  /// - Complexity: O(states). Never allocates, locks or calls the system.
  public mutating func reset(_ stream: Int) throws(GroupError) {
    try check(stream)
    start(stream)
  }

  /// Gives a stream the states of a session, from which it goes on as the session would.
  ///
  /// - Throws: ``GroupError/noSuchStream(_:)``, or ``GroupError/otherModel`` where the session steps
  ///   another ``Model``, be it of the same file.
  /// - Complexity: O(states). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func copyStates(
    of session: borrowing Session, to stream: Int
  ) throws(GroupError) {
    try check(stream)
    guard unsafe session.hasPrograms(programs) else { throw .otherModel }
    unsafe streams[stream] = GroupStream()
    unsafe session.copyStates(to: blocks + stream &* blockStride)
  }

  /// Gives a stream the states of another one, from which both go on as that would.
  ///
  /// - Throws: ``GroupError/noSuchStream(_:)``.
  /// - Complexity: O(states). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func copyStates(of source: Int, to stream: Int) throws(GroupError) {
    try check(source)
    try check(stream)
    guard source != stream else { return }
    let turn = unsafe streams[source].turn
    unsafe streams[stream] = GroupStream()
    unsafe (blocks + stream &* blockStride).copyMemory(
      from: blocks + source &* blockStride + turn &* stateByteCount, byteCount: stateByteCount)
  }

  /// Advances streams by a frame each.
  ///
  /// A stream that is refused, because of its frame or of its result, stays as it was, its row of the
  /// predictions is not written, and ``refusal(of:)`` says why; the others are none the worse. Where the
  /// model does not answer every frame, ``hasPrediction(_:)`` says which rows have been written.
  ///
  /// - Parameters:
  ///   - streams: The streams that have a frame, in any order, each once.
  ///   - frames: Their frames, shape `[streams.count, frameSize]`.
  ///   - predictions: Receives their predictions, shape `[streams.count, predictionSize]`, and may
  ///     have room for more.
  ///   - program: The index of the program in ``Model/programs`` that is to run.
  /// - Returns: The number of streams that were refused.
  /// - Throws: ``GroupError``.
  /// - Complexity: O(weights × streams). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks
  public mutating func step(
    _ streams: Span<Int>, frames: Span<Float>, into predictions: inout MutableSpan<Float>,
    program: Int = 0
  ) throws(GroupError) -> Int {
    guard program >= 0, program < programCount else { throw .noSuchProgram }
    let compiled = unsafe programs + 2 &* program
    guard unsafe compiled.pointee.needsWholeSequence == 0 else { throw .needsWholeSequence }
    let count = streams.count
    call &+= 1
    var row = 0
    while row < count {
      let stream = streams[row]
      try check(stream)
      guard unsafe members[stream].call != call else { throw .streamTwice(stream) }
      unsafe members[stream].call = call
      row &+= 1
    }
    // No more than the capacity, as each is there once.
    let frameNumbers = unsafe count &* Int(truncatingIfNeeded: compiled.pointee.frameSize)
    guard frames.count == frameNumbers else {
      throw .frameSize(expected: frameNumbers, actual: frames.count)
    }
    let predictionNumbers = unsafe count &* Int(truncatingIfNeeded: compiled.pointee.predictionSize)
    guard predictions.count >= predictionNumbers else {
      throw .predictionSize(expected: predictionNumbers, actual: predictions.count)
    }
    guard count > 0 else { return 0 }
    // SAFETY: the counts were checked, and are at least 1. The pointers leave their closures but not
    // this function, at whose end no thread uses them, and the spans keep the memory alive until then.
    unsafe groupStep.pointee.set(
      program: program, rows: streams.withUnsafeBufferPointer { $0.baseAddress! },
      frames: frames.withUnsafeBufferPointer { $0.baseAddress! },
      predictions: predictions.withUnsafeMutableBufferPointer { $0.baseAddress! })
    guard let job = unsafe job else {
      return unsafe groupStep.pointee.run(first: 0, count: count, weights: weights, work: work)
    }
    return unsafe runOnTwoThreads(
      job, UnsafePointer(groupStep), count, weights: weights, work: work)
  }

  /// Whether the last step of a stream gave a prediction: where it was not refused, always, but for
  /// models that do not answer every frame; see ``Program/answersEveryFrame``.
  ///
  /// - Throws: ``GroupError/noSuchStream(_:)``.
  public func hasPrediction(_ stream: Int) throws(GroupError) -> Bool {
    try check(stream)
    return unsafe streams[stream].result == RN_DONE
  }

  /// Why the last step of a stream was refused, if it was.
  ///
  /// - Throws: ``GroupError/noSuchStream(_:)``.
  public func refusal(of stream: Int) throws(GroupError) -> StepError? {
    try check(stream)
    let result = unsafe streams[stream].result
    switch result &>> 32 {
    case RN_NONFINITE_INPUT: return .nonFiniteInput(index: result & 0xffff_ffff)
    case RN_INDEX_OUT_OF_RANGE: return .indexOutOfRange(index: result & 0xffff_ffff)
    case RN_NONFINITE_RESULT: return .nonFiniteResult
    default: return nil
    }
  }

  @inline(always) @_noAllocation @_noLocks
  private func check(_ stream: Int) throws(GroupError) {
    guard stream >= 0, stream < capacity else { throw .noSuchStream(stream) }
    let isJoined = unsafe members[stream].isJoined
    guard isJoined else { throw .noSuchStream(stream) }
  }

  private func start(_ stream: Int) {
    unsafe streams[stream] = GroupStream()
    let block = unsafe blocks + stream * blockStride
    unsafe model.initialStates.withUnsafeBytes { states in
      unsafe UnsafeMutableRawBufferPointer(start: block, count: states.count).copyMemory(
        from: states)
    }
  }
}

/// What a group knows of a stream besides its steps.
private struct GroupMember: BitwiseCopyable {
  var isJoined = false
  /// The last call of `step` that named it.
  var call: UInt64 = 0
}

extension Model {
  /// Bytes that a ``SessionGroup`` allocates for a number of streams, the second thread's stack apart.
  public func groupByteCount(capacity: Int, threads: Int = 1) -> Int {
    let lane = unsafe MemoryLayout<rn_lane>.stride
    let stream = lane + MemoryLayout<GroupMember>.stride + MemoryLayout<GroupStream>.stride
    return capacity * (groupBlockStride + stream) + MemoryLayout<GroupStep>.stride
      + threads * RN_WORK_BYTES + (threads - 1) * weightByteCount
  }

  /// Bytes from one stream's block to the next; no multiple of 4 KiB, at which distance memory
  /// accesses hinder each other.
  fileprivate var groupBlockStride: Int {
    max(64, sessionByteCount + (sessionByteCount % 4096 == 0 ? 64 : 0))
  }
}
