package import CKernelShims

/// Runs a program for several lanes at once, instruction by instruction.
package enum Group {
  /// Checks a frame and takes it in; see `Interpreter.step`.
  @_noAllocation @_noLocks
  package static func take(
    _ program: UnsafePointer<rn_program>, block: UnsafeMutableRawPointer,
    frame: UnsafePointer<Float>
  ) -> Int {
    unsafe Interpreter.take(program.pointee, frame, block)
  }

  /// Runs a step of each of some lanes, which may change places.
  ///
  /// - Parameter work: `RN_WORK_BYTES` of working memory, aligned to 64 bytes.
  @_noAllocation @_noLocks
  package static func step(
    _ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int, weights: UnsafeRawPointer,
    work: UnsafeMutableRawPointer
  ) {
    guard count > 0 else { return }
    var going = unsafe takeIn(lanes, count)
    let instructions = unsafe Int(
      truncatingIfNeeded: lanes.pointee.program.pointee.instructionCount)
    var index = 0
    while going > 0 && index < instructions {
      let context = unsafe LaneContext(lanes, index, weights, work)
      index &+= 1
      if unsafe Int(truncatingIfNeeded: context.first.pointee.code) == RN_EVERY {
        going = unsafe goOn(lanes, going, before: index, weights)
      } else {
        run(context, going, .step)
      }
    }
    unsafe giveOut(lanes, going)
  }

  /// Takes frames in, puts the lanes whose frames are refused behind the others, and counts these.
  @inline(always)
  private static func takeIn(_ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int) -> Int {
    var taken = 0
    var end = count
    while taken < end {
      let lane = unsafe lanes[taken]
      let result = unsafe Interpreter.take(
        lane.program.pointee, lane.frame.unsafelyUnwrapped, lane.block.unsafelyUnwrapped)
      unsafe sort(result, lanes, &taken, &end)
    }
    return taken
  }

  /// Runs the `every` in front of an instruction, ends the steps of lanes that do not go on, puts them
  /// behind the others, and counts these.
  @inline(never)
  private static func goOn(
    _ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int, before next: Int,
    _ weights: UnsafeRawPointer
  ) -> Int {
    var going = 0
    var end = count
    while going < end {
      let lane = unsafe lanes[going]
      let (program, block) = unsafe (lane.program.unsafelyUnwrapped, lane.block.unsafelyUnwrapped)
      let instruction = unsafe program.pointee.instructions.unsafelyUnwrapped + next
      var result = RN_DONE
      if unsafe !Interpreter.elementwise(instruction - 1, block, weights) {
        result = unsafe Interpreter.stop(program, before: instruction, block)
      }
      unsafe sort(result, lanes, &going, &end)
    }
    return going
  }

  /// Writes down how a lane's step ended, or that it goes on, and puts it behind the others if it ended.
  @inline(always)
  private static func sort(
    _ result: Int, _ lanes: UnsafeMutablePointer<rn_lane>, _ place: inout Int, _ end: inout Int
  ) {
    unsafe lanes[place].result = Int64(truncatingIfNeeded: result)
    if result == RN_DONE {
      place &+= 1
    } else {
      end &-= 1
      let ended = unsafe lanes[place]
      unsafe lanes[place] = lanes[end]
      unsafe lanes[end] = ended
    }
  }

  /// Checks lanes' next states and predictions, and writes the predictions of those that are finite.
  @inline(always)
  private static func giveOut(_ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int) {
    var index = 0
    while index < count {
      let lane = unsafe lanes[index]
      let (program, block) = unsafe (lane.program.pointee, lane.block.unsafelyUnwrapped)
      if unsafe Interpreter.isFinite(program, block, program.checkCount) {
        unsafe Interpreter.give(program, block, lane.prediction.unsafelyUnwrapped)
      } else {
        unsafe lanes[index].result = Int64(
          truncatingIfNeeded: Interpreter.result(RN_NONFINITE_RESULT, at: 0))
      }
      index &+= 1
    }
  }

  /// Runs consecutive frames of one or more streams, which have been taken in; all blocks are in the
  /// same turn of the state buffers.
  ///
  /// - Parameters:
  ///   - lanes: All streams' lanes for the first frame, those for the second, and so on; fewer where
  ///     streams have ended.
  ///   - counts: The number of streams at each frame, never growing.
  ///   - frames: The number of frames.
  ///   - work: `RN_WORK_BYTES` of working memory, aligned to 64 bytes.
  @_noAllocation @_noLocks
  package static func run(
    _ lanes: UnsafeMutablePointer<rn_lane>, counts: UnsafePointer<Int>, frames: Int,
    weights: UnsafeRawPointer, work: UnsafeMutableRawPointer
  ) {
    let program = unsafe lanes.pointee.program.pointee
    let instructions = unsafe Int(truncatingIfNeeded: program.instructionCount)
    let streams = unsafe Streams(counts, frames)
    // From one `reverse` to the next.
    var first = 0
    while first < instructions {
      let all = unsafe LaneContext(lanes, first, weights, work)
      var end = first
      while end < instructions && !isReverse(unsafe LaneContext(lanes, end, weights, work)) {
        end &+= 1
      }
      if unsafe program.framewise != 0 {
        runFramewise(all, streams, upTo: end)
      } else {
        while first < end {
          runAllFrames(unsafe LaneContext(lanes, first, weights, work), streams)
          first &+= 1
        }
      }
      if end < instructions { reverse(unsafe LaneContext(lanes, end, weights, work), streams) }
      first = end &+ 1
    }
    unsafe giveOut(lanes, streams.laneCount)
  }
}

/// How the frames of streams, the longest first, stand as lanes.
@safe private struct Streams {
  /// The number of streams at each frame, never growing.
  private let counts: UnsafePointer<Int>
  let frames: Int
  let laneCount: Int

  @inline(always)
  init(_ counts: UnsafePointer<Int>, _ frames: Int) {
    unsafe self.counts = counts
    self.frames = frames
    var all = 0
    var frame = 0
    while frame < frames {
      unsafe all &+= counts[frame]
      frame &+= 1
    }
    laneCount = all
  }

  /// The streams that have a frame of that number.
  @inline(always)
  subscript(frame: Int) -> Int { unsafe counts[frame] }
}

extension Group {
  @inline(always)
  private static func isReverse(_ lanes: LaneContext) -> Bool {
    unsafe Int(truncatingIfNeeded: lanes.first.pointee.code) == RN_REVERSE
  }

  /// Runs an instruction for all frames.
  @inline(always)
  private static func runAllFrames(_ lanes: LaneContext, _ streams: Streams) {
    if unsafe lanes.first.pointee.statePlaces == 0 {
      run(lanes, streams.laneCount, .step)
      return
    }
    let hasProduct = unsafe lanes.first.pointee.format != UInt8(truncatingIfNeeded: RN_NO_MATRIX)
    if hasProduct { run(lanes, streams.laneCount, .input) }
    var lane = 0
    var frame = 0
    while frame < streams.frames {
      let now = lanes.advanced(by: lane)
      if frame > 0 { carry(lanes.advanced(by: lane &- streams[frame &- 1]), now, streams[frame]) }
      run(
        now, streams[frame], hasProduct ? .recurrent : .step,
        backward: UInt32(truncatingIfNeeded: frame & 1))
      lane &+= streams[frame]
      frame &+= 1
    }
  }

  /// Runs the instructions up to another one for one frame after the other.
  @inline(always)
  private static func runFramewise(_ lanes: LaneContext, _ streams: Streams, upTo end: Int) {
    var lane = 0
    var frame = 0
    while frame < streams.frames {
      let count = streams[frame]
      var index = lanes.instruction
      while frame > 0 && index < end {
        let now = lanes.advanced(by: lane).at(index)
        carry(lanes.advanced(by: lane &- streams[frame &- 1]).at(index), now, count)
        index &+= 1
      }
      index = lanes.instruction
      while index < end {
        run(
          lanes.advanced(by: lane).at(index), count, .step,
          backward: UInt32(truncatingIfNeeded: frame & 1))
        index &+= 1
      }
      lane &+= count
      frame &+= 1
    }
  }

  /// Gives each frame of each stream the vector of the one that is as far from the other end.
  @inline(always)
  private static func reverse(_ lanes: LaneContext, _ streams: Streams) {
    var stream = 0
    while stream < streams[0] {
      var last = 0
      var from = stream
      while last &+ 1 < streams.frames && stream < streams[last &+ 1] {
        from &+= streams[last]
        last &+= 1
      }
      var to = stream
      var frame = 0
      while true {
        let i = unsafe lanes.first.pointee
        unsafe Interpreter.copy(
          lanes.advanced(by: from).block, i.input, lanes.advanced(by: to).block, i.output,
          Int(truncatingIfNeeded: i.size))
        if frame == last { break }
        to &+= streams[frame]
        frame &+= 1
        from &-= streams[last &- frame]
      }
      stream &+= 1
    }
  }

  /// Makes the states that lanes have written the current ones of the lanes behind them.
  @inline(always)
  private static func carry(_ before: LaneContext, _ now: LaneContext, _ count: Int) {
    var lane = 0
    while lane < count {
      let to = now.advanced(by: lane)
      unsafe Interpreter.carry(
        to.first.pointee, from: before.advanced(by: lane).block, to: to.block, isDone: true)
      lane &+= 1
    }
  }

  /// Runs one instruction.
  ///
  /// Not inlined: there would be a copy for each phase.
  @inline(never)
  private static func run(
    _ lanes: LaneContext, _ count: Int, _ phase: Phase, backward: UInt32 = 0
  ) {
    switch unsafe Int(truncatingIfNeeded: lanes.first.pointee.format) {
    case RN_FLOAT32: product(Float32Format(), lanes, count, phase, backward)
    case RN_FLOAT16: product(Float16Format(), lanes, count, phase, backward)
    case RN_BFLOAT16: product(BFloat16Format(), lanes, count, phase, backward)
    case RN_INT8: product(Int8Format(), lanes, count, phase, backward)
    case RN_INT8_NARROW: product(NarrowInt8Format(), lanes, count, phase, backward)
    default:
      var lane = 0
      while lane < count {
        let one = lanes.advanced(by: lane)
        _ = unsafe Interpreter.elementwise(one.first, one.block, one.weights)
        lane &+= 1
      }
    }
  }

  /// Runs an instruction that has matrices.
  @inline(always)
  private static func product<F: WeightFormat>(
    _ f: F, _ lanes: LaneContext, _ count: Int, _ phase: Phase, _ backward: UInt32
  ) {
    let i = unsafe lanes.first.pointee
    let code = Int(truncatingIfNeeded: i.code)
    // The input's part of the others is no product of its own.
    if phase == .input && code != RN_LSTM && code != RN_GRU_RESET_AFTER { return }
    if count == 1 && phase != .input {
      unsafe Interpreter.product(
        f, lanes.first, lanes.block, lanes.weights, backward: backward, phase)
      return
    }
    switch code {
    case RN_LSTM: LSTM.run(f, lanes, count, phase)
    case RN_GRU_RESET_AFTER: GRUResetAfter.run(f, lanes, count, phase)
    case RN_DENSE: Dense.run(f, lanes, count)
    case RN_CONVOLUTION: Convolution.run(f, lanes, count)
    case RN_GRU_RESET_BEFORE where i.fast != 0: GRUResetBefore.run(f, Fast(), lanes, count)
    case RN_GRU_RESET_BEFORE: GRUResetBefore.run(f, Exact(), lanes, count)
    default: VanillaRNN.run(f, lanes, count)
    }
  }
}

/// Makes the words of the lanes' operands, and gives how many there are.
@inline(always)
func prepare<F: WeightFormat>(
  _ f: F, _ lanes: LaneContext, _ count: Int, input: Bool, hidden: Bool
) -> PartSizes {
  var sizes = PartSizes(x: 0, h: 0)
  var lane = 0
  while lane < count {
    let one = lanes.advanced(by: lane)
    let cell = one.cell
    let x = input ? cell.input(f) : cell.operands(f, (0, 0)).x
    let h = unsafe hidden ? cell.hidden(f, cell.h) : cell.operands(f, (0, 0)).h
    sizes = PartSizes(x: x.groups, h: h.groups)
    unsafe one.lanes.pointee.inputWords = x.words
    unsafe one.lanes.pointee.inputScale = x.scale
    unsafe one.lanes.pointee.hiddenWords = h.words
    unsafe one.lanes.pointee.hiddenScale = h.scale
    lane &+= 1
  }
  return sizes
}
