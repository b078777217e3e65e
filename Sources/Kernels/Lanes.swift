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

  @inline(always)
  init(
    _ lanes: UnsafeMutablePointer<rn_lane>, _ instruction: Int, _ weights: UnsafeRawPointer,
    _ work: UnsafeMutableRawPointer
  ) {
    unsafe self.lanes = lanes
    self.instruction = instruction
    unsafe self.weights = weights
    unsafe self.work = work
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
  func parts(_ sizes: PartSizes) -> Parts {
    let lane = unsafe lanes.pointee
    let x = unsafe Operand(
      lane.inputWords.unsafelyUnwrapped, groups: sizes.x, scale: lane.inputScale)
    if sizes.h == 0 { return Parts(x) }
    return unsafe Parts(
      x, Operand(lane.hiddenWords.unsafelyUnwrapped, groups: sizes.h, scale: lane.hiddenScale))
  }

  /// The lanes from `count` on, with working memory from its start on.
  @inline(always)
  func advanced(by count: Int) -> LaneContext {
    unsafe LaneContext(lanes + count, instruction, weights, work)
  }

  /// A lane of a batch and its working memory.
  @inline(always)
  func lane(_ index: Int) -> LaneContext {
    unsafe LaneContext(lanes + index, instruction, weights, work + index &* 4 &* vectorBytes)
  }
}

/// The sums of one block for some lanes.
protocol Lanes {
  associatedtype S: Sums
  init(_ f: S.Format, _ totals: S.Totals)
  func count() -> Int
  /// Begins with a part, from the totals in the working memory.
  mutating func begin(_ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ lanes: LaneContext)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int)
  mutating func addOdd(_ f: S.Format, _ w: S.Weights, _ group: Int)
  /// Ends a part, and puts the totals down in the working memory.
  mutating func end(_ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ lanes: LaneContext)
}

@safe struct OneLane<S: Sums>: Lanes {
  private var totals: S.Totals
  private var sums, odd: S
  private var words: UnsafeRawPointer

  @inline(always)
  init(_ f: S.Format, _ totals: S.Totals) {
    self.totals = totals
    sums = S(zero: f)
    odd = S(zero: f)
    unsafe words = UnsafeRawPointer(bitPattern: 64).unsafelyUnwrapped
  }

  @inline(always)
  func count() -> Int { 1 }

  @inline(always)
  mutating func begin(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ lanes: LaneContext
  ) {
    let lane = unsafe lanes.lanes.pointee
    unsafe words = UnsafeRawPointer(
      (hidden ? lane.hiddenWords : lane.inputWords).unsafelyUnwrapped)
    unsafe totals = S.Totals(UnsafeRawPointer(lanes.work))
    unsafe sums = S(f, totals, header)
    odd = S(zero: f)
  }

  @inline(always)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    unsafe sums.add(f, w, f.word(words, group))
  }

  @inline(always)
  mutating func addOdd(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    unsafe odd.add(f, w, f.word(words, group))
  }

  @inline(always)
  mutating func end(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ lanes: LaneContext
  ) {
    let lane = unsafe lanes.lanes.pointee
    if !f.isExact { sums.merge(f, odd) }
    unsafe sums.end(f, &totals, header, hidden ? lane.hiddenScale : lane.inputScale)
    if !hidden { totals.endInput() }
    unsafe totals.store(lanes.work)
  }
}

/// The lanes of two.
struct Both<A: Lanes, B: Lanes>: Lanes where A.S == B.S {
  typealias S = A.S
  private var a: A
  private var b: B

  @inline(always)
  init(_ f: S.Format, _ totals: S.Totals) {
    a = A(f, totals)
    b = B(f, totals)
  }

  @inline(always)
  func count() -> Int { a.count() &+ b.count() }

  @inline(always)
  mutating func begin(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ lanes: LaneContext
  ) {
    unsafe a.begin(f, hidden: hidden, header, lanes)
    unsafe b.begin(f, hidden: hidden, header, lanes.lane(a.count()))
  }

  @inline(always)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    a.add(f, w, group)
    b.add(f, w, group)
  }

  @inline(always)
  mutating func addOdd(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    a.addOdd(f, w, group)
    b.addOdd(f, w, group)
  }

  @inline(always)
  mutating func end(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ lanes: LaneContext
  ) {
    unsafe a.end(f, hidden: hidden, header, lanes)
    unsafe b.end(f, hidden: hidden, header, lanes.lane(a.count()))
  }
}

typealias TwoLanes<S: Sums> = Both<OneLane<S>, OneLane<S>>
typealias ThreeLanes<S: Sums> = Both<TwoLanes<S>, OneLane<S>>
typealias FourLanes<S: Sums> = Both<TwoLanes<S>, TwoLanes<S>>

/// Adds the products of a part of a panel for as many lanes as `L` has.
@inline(always)
private func addPart<L: Lanes>(
  _ none: L, _ f: L.S.Format, _ header: UnsafeRawPointer, _ groups: Int, hidden: Bool,
  _ lanes: LaneContext
) {
  var sums = none
  let shape = L.S(zero: f)
  let stride = shape.rows() &* f.groupBytes
  var w = unsafe header + shape.rows() &* f.headerBytes
  unsafe sums.begin(f, hidden: hidden, header, lanes)
  var k = 0
  if f.isExact {
    while k < groups {
      unsafe sums.add(f, shape.weights(f, w), k)
      unsafe w += stride
      k &+= 1
    }
  } else {
    #if WIDE_REGISTERS
      while k &+ 1 < groups {
        unsafe sums.add(f, shape.weights(f, w), k)
        unsafe sums.addOdd(f, shape.weights(f, w + stride), k &+ 1)
        unsafe w += 2 &* stride
        k &+= 2
      }
      if k < groups { unsafe sums.add(f, shape.weights(f, w), k) }
    #else
      // Registers hold the sums of one kind of groups at a time.
      while k < groups {
        unsafe sums.add(f, shape.weights(f, w + k &* stride), k)
        k &+= 2
      }
      k = 1
      while k < groups {
        unsafe sums.addOdd(f, shape.weights(f, w + k &* stride), k)
        k &+= 2
      }
    #endif
  }
  unsafe sums.end(f, hidden: hidden, header, lanes)
}

/// Adds the products of a panel for a batch of lanes, whose totals stand in the working memory.
///
/// One part after the other: most parts stay in L1 until the last lane has had them. Not inlined: cells
/// and layers with as many rows in a panel share it.
///
/// - Parameter panel: The panel, from behind its biases.
@inline(never)
func addProducts<S: Sums>(
  _: S, _ f: S.Format, _ panel: UnsafeRawPointer, _ sizes: PartSizes, _ lanes: LaneContext,
  _ count: Int, _ phase: Phase
) {
  let rows = S(zero: f).rows()
  let inputBytes = rows &* (f.headerBytes &+ sizes.x &* f.groupBytes)
  let totals = unsafe S.Totals(UnsafeRawPointer(lanes.work))
  var hidden = phase == .recurrent
  while true {
    let header = unsafe hidden ? panel + inputBytes : panel
    let groups = hidden ? sizes.h : sizes.x
    var lane = 0
    #if WIDE_REGISTERS
      let tile = S.Tile(f, totals)
      while lane &+ tile.count() <= count {
        unsafe addPart(tile, f, header, groups, hidden: hidden, lanes.lane(lane))
        lane &+= tile.count()
      }
    #endif
    let one = OneLane<S>(f, totals)
    while lane < count {
      unsafe addPart(one, f, header, groups, hidden: hidden, lanes.lane(lane))
      lane &+= 1
    }
    if hidden || phase == .input { return }
    hidden = true
  }
}
