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
    var lane = unsafe LaneContext(
      lanes + index, instruction, weights, work + index &* 4 &* vectorBytes)
    unsafe lane.totals = totals + index &* totalStride
    lane.totalStride = totalStride
    return lane
  }

  /// The lanes of a batch, all of which begin with the same totals.
  @inline(always)
  func beginning(with totals: UnsafeRawPointer) -> LaneContext {
    var lanes = self
    unsafe lanes.totals = totals
    lanes.totalStride = 0
    return lanes
  }
}

/// The sums of one block for some lanes.
protocol Lanes {
  associatedtype S: Sums
  init(zero f: S.Format)
  func count() -> Int
  /// Finds the lanes' operands.
  mutating func find(_ lanes: LaneContext, hidden: Bool)
  /// Begins with the totals.
  mutating func begin(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int)
  mutating func merge(_ f: S.Format, _ other: Self)
  /// Puts the sums down in the working memory, as totals where a part ends with them.
  func end(
    _ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, hidden: Bool, isLast: Bool)
}

@safe struct OneLane<S: Sums>: Lanes {
  private var sums: S
  private var words: UnsafeRawPointer

  @inline(always)
  init(zero f: S.Format) {
    sums = S(zero: f)
    unsafe words = UnsafeRawPointer(bitPattern: 64).unsafelyUnwrapped
  }

  @inline(always)
  func count() -> Int { 1 }

  @inline(always)
  mutating func find(_ lanes: LaneContext, hidden: Bool) {
    let lane = unsafe lanes.lanes.pointee
    unsafe words = UnsafeRawPointer(
      (hidden ? lane.hiddenWords : lane.inputWords).unsafelyUnwrapped)
  }

  @inline(always)
  mutating func begin(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe sums = S(f, S.Totals(lanes.totals), header)
  }

  @inline(always)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    unsafe sums.add(f, w, f.word(words, group))
  }

  @inline(always)
  mutating func merge(_ f: S.Format, _ other: Self) { sums.merge(f, other.sums) }

  @inline(always)
  func end(
    _ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, hidden: Bool, isLast: Bool
  ) {
    let lane = unsafe lanes.lanes.pointee
    var totals = unsafe S.Totals(lanes.totals)
    unsafe sums.end(f, &totals, header, hidden ? lane.hiddenScale : lane.inputScale)
    if isLast && !hidden { totals.endInput() }
    unsafe totals.store(lanes.work)
  }
}

/// The lanes of two.
struct Both<A: Lanes, B: Lanes>: Lanes where A.S == B.S {
  typealias S = A.S
  private var a: A
  private var b: B

  @inline(always)
  init(zero f: S.Format) {
    a = A(zero: f)
    b = B(zero: f)
  }

  @inline(always)
  func count() -> Int { a.count() &+ b.count() }

  @inline(always)
  mutating func find(_ lanes: LaneContext, hidden: Bool) {
    a.find(lanes, hidden: hidden)
    b.find(lanes.lane(a.count()), hidden: hidden)
  }

  @inline(always)
  mutating func begin(_ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext) {
    unsafe a.begin(f, header, lanes)
    unsafe b.begin(f, header, lanes.lane(a.count()))
  }

  @inline(always)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int) {
    a.add(f, w, group)
    b.add(f, w, group)
  }

  @inline(always)
  mutating func merge(_ f: S.Format, _ other: Self) {
    a.merge(f, other.a)
    b.merge(f, other.b)
  }

  @inline(always)
  func end(
    _ f: S.Format, _ header: UnsafeRawPointer, _ lanes: LaneContext, hidden: Bool, isLast: Bool
  ) {
    unsafe a.end(f, header, lanes, hidden: hidden, isLast: isLast)
    unsafe b.end(f, header, lanes.lane(a.count()), hidden: hidden, isLast: isLast)
  }
}

typealias TwoLanes<S: Sums> = Both<OneLane<S>, OneLane<S>>
typealias ThreeLanes<S: Sums> = Both<TwoLanes<S>, OneLane<S>>
typealias FourLanes<S: Sums> = Both<TwoLanes<S>, TwoLanes<S>>
typealias SixLanes<S: Sums> = Both<ThreeLanes<S>, ThreeLanes<S>>
typealias EightLanes<S: Sums> = Both<FourLanes<S>, FourLanes<S>>

/// A part of a panel, to be added for many lanes.
@safe private struct PanelPart<S: Sums> {
  let format: S.Format
  let header: UnsafeRawPointer
  let groups: Int
  let hidden: Bool

  @inline(always)
  init(_ format: S.Format, _ header: UnsafeRawPointer, groups: Int, hidden: Bool) {
    self.format = format
    unsafe self.header = header
    self.groups = groups
    self.hidden = hidden
  }

  /// Adds all groups for as many whole tiles as there are, and gives the first lane behind them.
  @inline(always)
  func add<L: Lanes>(
    _ tile: L, _ lanes: LaneContext, _ batch: LaneContext, _ start: Int, _ count: Int
  ) -> Int where L.S == S {
    var lane = start
    while lane &+ tile.count() <= count {
      add(tile, lanes.lane(lane), first: 0)
      lane &+= tile.count()
    }
    let end = lane
    lane = format.isExact ? end : start
    while lane < end {
      add(tile, batch.lane(lane), first: 1)
      lane &+= tile.count()
    }
    return end
  }

  /// Adds every other group, or all where the order does not matter, for as many lanes as `L` has.
  ///
  /// - Parameter first: 0, or 1 for the odd groups, which end the part.
  @inline(always)
  func add<L: Lanes>(_ none: L, _ lanes: LaneContext, first: Int) where L.S == S {
    var sums = none
    sums.find(lanes, hidden: hidden)
    if first == 0 { unsafe sums.begin(format, header, lanes) }
    add(&sums, first: first, step: format.isExact ? 1 : 2)
    if first != 0 {
      var even = none
      unsafe even.begin(format, header, lanes)
      sums.merge(format, even)
    }
    unsafe sums.end(
      format, header, lanes, hidden: hidden, isLast: first != 0 || format.isExact)
  }

  /// Adds all groups for as many lanes as `L` has.
  @inline(always)
  func add<L: Lanes>(_ none: L, _ lanes: LaneContext) where L.S == S {
    var sums = none
    sums.find(lanes, hidden: hidden)
    unsafe sums.begin(format, header, lanes)
    if format.isExact {
      add(&sums, first: 0, step: 1)
    } else {
      var odd = none
      odd.find(lanes, hidden: hidden)
      #if WIDE_REGISTERS
        var w = unsafe weights
        var k = 0
        while k &+ 1 < groups {
          unsafe sums.add(format, shape.weights(format, w), k)
          unsafe odd.add(format, shape.weights(format, w + stride), k &+ 1)
          unsafe w += 2 &* stride
          k &+= 2
        }
        if k < groups { unsafe sums.add(format, shape.weights(format, w), k) }
      #else
        // Registers hold the sums of one kind of groups at a time.
        add(&sums, first: 0, step: 2)
        add(&odd, first: 1, step: 2)
      #endif
      sums.merge(format, odd)
    }
    unsafe sums.end(format, header, lanes, hidden: hidden, isLast: true)
  }

  @inline(always)
  private func add<L: Lanes>(_ sums: inout L, first: Int, step: Int) where L.S == S {
    var w = unsafe weights + first &* stride
    var k = first
    while k < groups {
      unsafe sums.add(format, shape.weights(format, w), k)
      unsafe w += step &* stride
      k &+= step
    }
  }

  @inline(always)
  private var shape: S { S(zero: format) }

  @inline(always)
  private var stride: Int { shape.rows() &* format.groupBytes }

  @inline(always)
  private var weights: UnsafeRawPointer { unsafe header + shape.rows() &* format.headerBytes }
}

/// Adds the products of a panel for a batch of lanes, and puts the totals down in the working memory: the
/// biases and the sums, or what stands there and the hidden state's sums.
///
/// One part after the other, and most often its even groups before its odd ones: they stay in L1 until
/// the last lane has had them. Not inlined: cells and layers with as many rows in a panel share it.
@inline(never)
func addProducts<S: Sums>(
  _: S, _ f: S.Format, _ panel: UnsafeRawPointer, _ sizes: PartSizes, _ batch: LaneContext,
  _ count: Int, _ phase: Phase
) {
  let rows = S(zero: f).rows()
  let input = unsafe panel + 4 &* vectorBytes
  let recurrent = unsafe input + rows &* (f.headerBytes &+ sizes.x &* f.groupBytes)
  var hidden = phase == .recurrent
  var lanes = unsafe hidden ? batch : batch.beginning(with: panel)
  while true {
    let part = unsafe PanelPart<S>(
      f, hidden ? recurrent : input, groups: hidden ? sizes.h : sizes.x, hidden: hidden)
    var lane = 0
    #if WIDE_REGISTERS
      if f.isOneVector {
        lane = part.add(S.Tile(zero: f), lanes, batch, lane, count)
        lane = part.add(FourLanes<S>(zero: f), lanes, batch, lane, count)
      } else {
        lane = part.add(S.HalfTile(zero: f), lanes, batch, lane, count)
      }
    #endif
    let one = OneLane<S>(zero: f)
    while lane < count {
      part.add(one, lanes.lane(lane))
      lane &+= 1
    }
    if hidden || phase == .input { return }
    hidden = true
    lanes = batch
  }
}
