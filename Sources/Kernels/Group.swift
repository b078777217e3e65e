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
    // Lanes whose frames are refused go behind the others.
    var taken = 0
    var end = count
    while taken < end {
      let lane = unsafe lanes[taken]
      let result = unsafe Interpreter.take(
        lane.program.pointee, lane.frame.unsafelyUnwrapped, lane.block.unsafelyUnwrapped)
      unsafe lanes[taken].result = Int64(truncatingIfNeeded: result)
      if result == RN_DONE {
        taken &+= 1
      } else {
        end &-= 1
        let refused = unsafe lanes[taken]
        unsafe lanes[taken] = lanes[end]
        unsafe lanes[end] = refused
      }
    }
    guard taken > 0 else { return }
    let instructions = unsafe Int(
      truncatingIfNeeded: lanes.pointee.program.pointee.instructionCount)
    var index = 0
    while index < instructions {
      unsafe run(LaneContext(lanes, index, weights, work), taken, .step)
      index &+= 1
    }
    unsafe giveOut(lanes, taken)
  }

  /// Checks lanes' next states and predictions, and writes the predictions of those that are finite.
  @inline(always)
  private static func giveOut(_ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int) {
    var index = 0
    while index < count {
      let lane = unsafe lanes[index]
      let (program, block) = unsafe (lane.program.pointee, lane.block.unsafelyUnwrapped)
      if unsafe Interpreter.isFinite(program, block) {
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
    var all = 0
    var frame = 0
    while frame < frames {
      unsafe all &+= counts[frame]
      frame &+= 1
    }
    if unsafe program.framewise != 0 {
      unsafe runFramewise(lanes, counts, frames, instructions, weights, work)
      unsafe giveOut(lanes, all)
      return
    }
    var index = 0
    while index < instructions {
      let context = unsafe LaneContext(lanes, index, weights, work)
      if unsafe context.first.pointee.statePlaces == 0 {
        run(context, all, .step)
      } else {
        let hasProduct =
          unsafe context.first.pointee.format != UInt8(truncatingIfNeeded: RN_NO_MATRIX)
        if hasProduct { run(context, all, .input) }
        var lane = 0
        frame = 0
        while frame < frames {
          let count = unsafe counts[frame]
          let now = context.advanced(by: lane)
          if frame > 0 {
            let before = unsafe context.advanced(by: lane &- counts[frame &- 1])
            carry(before, now, count)
          }
          run(
            now, count, hasProduct ? .recurrent : .step,
            backward: UInt32(truncatingIfNeeded: frame & 1))
          lane &+= count
          frame &+= 1
        }
      }
      index &+= 1
    }
    unsafe giveOut(lanes, all)
  }
}

extension Group {
  /// Runs all instructions for one frame after the other.
  @inline(always)
  private static func runFramewise(
    _ lanes: UnsafeMutablePointer<rn_lane>, _ counts: UnsafePointer<Int>, _ frames: Int,
    _ instructions: Int, _ weights: UnsafeRawPointer, _ work: UnsafeMutableRawPointer
  ) {
    var lane = 0
    var frame = 0
    while frame < frames {
      let count = unsafe counts[frame]
      var index = 0
      while frame > 0 && index < instructions {
        let now = unsafe LaneContext(lanes, index, weights, work).advanced(by: lane)
        if unsafe now.first.pointee.statePlaces != 0 {
          let last = unsafe lane &- counts[frame &- 1]
          carry(unsafe LaneContext(lanes, index, weights, work).advanced(by: last), now, count)
        }
        index &+= 1
      }
      index = 0
      while index < instructions {
        run(
          unsafe LaneContext(lanes, index, weights, work).advanced(by: lane), count, .step,
          backward: UInt32(truncatingIfNeeded: frame & 1))
        index &+= 1
      }
      lane &+= count
      frame &+= 1
    }
  }

  /// Makes the states that lanes have written the current ones of the lanes behind them.
  @inline(always)
  private static func carry(_ before: LaneContext, _ now: LaneContext, _ count: Int) {
    var lane = 0
    while lane < count {
      let from = before.advanced(by: lane)
      let to = now.advanced(by: lane)
      let i = unsafe to.first.pointee
      let size = Int(truncatingIfNeeded: i.size)
      unsafe copy(from.block, from: i.output, to.block, to: i.hidden, size)
      if i.statePlaces > 1 { unsafe copy(from.block, from: i.nextCell, to.block, to: i.cell, size) }
      lane &+= 1
    }
  }

  @inline(always)
  private static func copy(
    _ source: UnsafeMutableRawPointer, from: UInt32, _ target: UnsafeMutableRawPointer, to: UInt32,
    _ size: Int
  ) {
    let x = unsafe UnsafeRawPointer(source) + Int(truncatingIfNeeded: from)
    let y = unsafe target + Int(truncatingIfNeeded: to)
    var k = 0
    while k < vectorCount(size) {
      unsafe store(load(x, k), y, k)
      k &+= 1
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
        unsafe Interpreter.elementwise(one.first, one.block, one.weights)
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
