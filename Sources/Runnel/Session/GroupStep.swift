internal import CKernelShims

/// What a group's threads share: its streams, and the step that they are in.
@safe struct GroupStep {
  private let level: InstructionLevel
  private let programs: UnsafePointer<rn_program>
  private let blocks: UnsafeMutableRawPointer
  private let blockStride: Int
  private let streams: UnsafeMutablePointer<GroupStream>
  private let lanes: UnsafeMutablePointer<rn_lane>
  private var program = 0
  /// The number of each row's stream.
  private var rows: UnsafePointer<Int>?
  private var frames: UnsafePointer<Float>?
  private var predictions: UnsafeMutablePointer<Float>?

  /// - Parameters:
  ///   - blocks: The streams' blocks, `blockStride` bytes apart.
  ///   - lanes: As many as there are streams.
  init(
    _ model: Model, blocks: UnsafeMutableRawPointer, blockStride: Int,
    streams: UnsafeMutablePointer<GroupStream>, lanes: UnsafeMutablePointer<rn_lane>
  ) {
    level = model.level
    unsafe programs = UnsafePointer(model.compiled)
    unsafe self.blocks = blocks
    self.blockStride = blockStride
    unsafe self.streams = streams
    unsafe self.lanes = lanes
  }

  /// Names what is to be stepped: rows of frames and of predictions, and their streams.
  @_noAllocation @_noLocks
  mutating func set(
    program: Int, rows: UnsafePointer<Int>, frames: UnsafePointer<Float>,
    predictions: UnsafeMutablePointer<Float>
  ) {
    self.program = program
    unsafe self.rows = rows
    unsafe self.frames = frames
    unsafe self.predictions = predictions
  }

  /// Steps the streams of `count` rows, from row `first` on.
  ///
  /// Threads may run it at once, for rows of different streams.
  ///
  /// - Parameters:
  ///   - weights: The model's weights, or the thread's copy of them.
  ///   - work: The thread's `RN_WORK_BYTES` of working memory.
  /// - Returns: The number of streams that were refused.
  @_noAllocation @_noLocks
  func run(
    first: Int, count: Int, weights: UnsafeRawPointer, work: UnsafeMutableRawPointer
  ) -> Int {
    let compiled = unsafe programs + 2 &* program
    let frameSize = unsafe Int(truncatingIfNeeded: compiled.pointee.frameSize)
    let predictionSize = unsafe Int(truncatingIfNeeded: compiled.pointee.predictionSize)
    let end = first &+ count
    var row = first
    while row < end {
      let stream = unsafe rows.unsafelyUnwrapped[row]
      unsafe lanes[row].program = compiled + streams[stream].turn
      unsafe lanes[row].block = blocks + stream &* blockStride
      unsafe lanes[row].frame = frames.unsafelyUnwrapped + row &* frameSize
      unsafe lanes[row].prediction = predictions.unsafelyUnwrapped + row &* predictionSize
      unsafe lanes[row].stream = Int64(truncatingIfNeeded: stream)
      row &+= 1
    }
    unsafe dispatchStep(level, lanes + first, count, weights: weights, work: work)
    var refused = 0
    row = first
    while row < end {
      let lane = unsafe lanes[row]
      let stream = unsafe streams + Int(truncatingIfNeeded: lane.stream)
      let result = unsafe Int(truncatingIfNeeded: lane.result)
      unsafe stream.pointee.result = result
      if result == RN_DONE || result &>> 32 == RN_NO_PREDICTION {
        unsafe stream.pointee.turn = 1 &- stream.pointee.turn
      } else {
        refused &+= 1
      }
      row &+= 1
    }
    return refused
  }
}

/// What a group's steps know of a stream.
struct GroupStream: BitwiseCopyable {
  /// Which of the two buffers of states is the current one.
  var turn = 0
  /// How the last step ended.
  var result = Int(RN_DONE)
}
