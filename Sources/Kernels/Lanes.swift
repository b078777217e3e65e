internal import CKernelShims

// Many streams in one pass over the weights, and many frames of a stream in one product: weights are
// loaded once for a few lanes (one stream or frame each), and each lane's sums are added up in the
// order that it would have alone.
//
// A batch of lanes has a block's products first and then, from totals in the working memory, the block's
// states: the chains of operations of several lanes take turns there.

/// Which parts of a cell's products are added.
enum Phase {
  /// Both, as in a step.
  case step
  /// The input's; the sums are kept in the lane's block.
  case input
  /// The hidden state's, to sums that were kept.
  case recurrent
}

/// Some lanes at one instruction.
@safe struct LaneContext {
  let lanes: UnsafeMutablePointer<rn_lane>
  let instruction: Int
  let weights: UnsafeRawPointer
  /// The first lane's working memory.
  let work: UnsafeMutableRawPointer
  /// What a product of the first lane is added to, and how many bytes behind it stands the next lane's.
  private(set) var totals: UnsafeRawPointer
  private var totalStride: Int

  @inline(always)
  init(
    _ lanes: UnsafeMutablePointer<rn_lane>, _ instruction: Int, _ weights: UnsafeRawPointer,
    _ work: UnsafeMutableRawPointer
  ) {
    unsafe self.lanes = lanes
    self.instruction = instruction
    unsafe self.weights = weights
    unsafe self.work = work
    unsafe totals = UnsafeRawPointer(work)
    totalStride = 4 &* vectorBytes
  }

  /// The instruction of the first lane.
  @inline(always)
  var first: UnsafePointer<rn_instruction> {
    unsafe lanes.pointee.program.pointee.instructions.unsafelyUnwrapped + instruction
  }

  /// The block of the first lane.
  @inline(always)
  var block: UnsafeMutableRawPointer { unsafe lanes.pointee.block }

  /// The vectors of the first lane.
  @inline(always)
  var cell: Cell { unsafe Cell(first.pointee, block, weights) }

  /// The first lane's scratch.
  @inline(always)
  var scratch: UnsafeMutableRawPointer {
    unsafe block + Int(truncatingIfNeeded: first.pointee.scratch)
  }

  /// The first lane's operands, made before.
  @inline(always)
  func parts(_ sizes: PartSizes, _ phase: Phase) -> Parts {
    let lane = unsafe lanes.pointee
    let x = unsafe Operand(
      lane.inputWords.unsafelyUnwrapped, groups: sizes.x, scale: lane.inputScale)
    if phase == .input || sizes.h == 0 { return Parts(x) }
    let h = unsafe Operand(
      lane.hiddenWords.unsafelyUnwrapped, groups: sizes.h, scale: lane.hiddenScale)
    return phase == .recurrent ? Parts(h) : Parts(x, h)
  }

  /// The lanes from `count` on, with working memory from its start on.
  @inline(always)
  func advanced(by count: Int) -> LaneContext {
    unsafe LaneContext(lanes + count, instruction, weights, work)
  }

  /// The same lanes at another instruction.
  @inline(always)
  func at(_ instruction: Int) -> LaneContext {
    unsafe LaneContext(lanes, instruction, weights, work)
  }

  /// A lane of a batch and its working memory.
  @inline(always)
  func lane(_ index: Int) -> LaneContext {
    var lane = unsafe LaneContext(
      lanes + index, instruction, weights, work + index &* 4 &* vectorBytes)
    unsafe lane.totals = totals + index &* totalStride
    lane.totalStride = totalStride
    return lane
  }

  /// Where the first lane's sums of odd groups stand, where they are kept.
  @inline(always)
  var oddWork: UnsafeMutableRawPointer { unsafe work + RN_BATCH &* 4 &* vectorBytes }

  /// The lanes of a batch, all of which begin with the same totals.
  @inline(always)
  func beginning(with totals: UnsafeRawPointer) -> LaneContext {
    var lanes = self
    unsafe lanes.totals = totals
    lanes.totalStride = 0
    return lanes
  }
}
