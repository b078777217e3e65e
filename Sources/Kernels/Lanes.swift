internal import CKernelShims

// Many streams in one pass over the weights, and many frames of a stream in one product: weights are
// loaded once for a few lanes (one stream or frame each), and each lane's sums are added up in the
// order that it would have alone.

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

  @inline(always)
  init(
    _ lanes: UnsafeMutablePointer<rn_lane>, _ instruction: Int, _ weights: UnsafeRawPointer
  ) {
    unsafe self.lanes = lanes
    self.instruction = instruction
    unsafe self.weights = weights
  }

  /// The instruction of the first lane.
  @inline(always)
  var first: UnsafePointer<rn_instruction> {
    unsafe lanes.pointee.program.pointee.instructions + instruction
  }

  /// The block of the first lane.
  @inline(always)
  var block: UnsafeMutableRawPointer { unsafe lanes.pointee.block }

  /// The vectors of the first lane.
  @inline(always)
  var cell: Cell { unsafe Cell(first.pointee, block, weights) }

  /// The first lane's vectors in the words of a format, made before.
  @inline(always)
  func operands<F: WeightFormat>(_ f: F) -> (x: Operand, h: Operand) {
    unsafe cell.operands(f, (lanes.pointee.inputScale, lanes.pointee.hiddenScale))
  }

  @inline(always)
  func advanced(by count: Int) -> LaneContext {
    unsafe LaneContext(lanes + count, instruction, weights)
  }
}

/// What the blocks of an operation are, and what becomes of their sums.
protocol BlockKind {
  associatedtype S: Sums
  /// Whether there is a hidden state.
  var isRecurrent: Bool { get }
  func load(_ sums: UnsafeRawPointer) -> S.Totals
  func save(_ totals: S.Totals, _ sums: UnsafeMutableRawPointer)
  /// From the sums of block `index` to the results.
  func finish(_ totals: S.Totals, _ index: Int, _ cell: Cell)
}

/// The sums of one block for some lanes.
protocol Lanes {
  associatedtype S: Sums
  init(_ f: S.Format, _ totals: S.Totals)
  func count() -> Int
  mutating func load<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S
  mutating func begin(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ context: LaneContext)
  mutating func add(_ f: S.Format, _ w: S.Weights, _ group: Int)
  mutating func addOdd(_ f: S.Format, _ w: S.Weights, _ group: Int)
  mutating func end(_ f: S.Format, _ header: UnsafeRawPointer, split: Bool)
  mutating func endInput()
  func save<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S
  func finish<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S
}

@safe struct OneLane<S: Sums>: Lanes {
  private var totals: S.Totals
  private var sums, odd: S
  private var words: UnsafeRawPointer
  private var scale: Float

  @inline(always)
  init(_ f: S.Format, _ totals: S.Totals) {
    self.totals = totals
    sums = S(zero: f)
    odd = S(zero: f)
    unsafe words = UnsafeRawPointer(bitPattern: 64)!
    scale = 1
  }

  @inline(always)
  func count() -> Int { 1 }

  @inline(always)
  mutating func load<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext)
  where B.S == S {
    totals = unsafe kind.load(context.cell.inputSums(index))
  }

  @inline(always)
  mutating func begin(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ context: LaneContext
  ) {
    let operands = context.operands(f)
    let operand = hidden ? operands.h : operands.x
    unsafe words = operand.words
    scale = operand.scale
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
  mutating func end(_ f: S.Format, _ header: UnsafeRawPointer, split: Bool) {
    if split { sums.merge(f, odd) }
    unsafe sums.end(f, &totals, header, scale)
  }

  @inline(always)
  mutating func endInput() { totals.endInput() }

  @inline(always)
  func save<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S {
    unsafe kind.save(totals, context.cell.inputSums(index))
  }

  @inline(always)
  func finish<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S {
    kind.finish(totals, index, context.cell)
  }
}

/// Two times as many lanes.
struct Twice<L: Lanes>: Lanes {
  typealias S = L.S
  private var a, b: L

  @inline(always)
  init(_ f: S.Format, _ totals: S.Totals) {
    a = L(f, totals)
    b = L(f, totals)
  }

  @inline(always)
  func count() -> Int { 2 &* a.count() }

  @inline(always)
  mutating func load<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext)
  where B.S == S {
    a.load(kind, index, context)
    b.load(kind, index, context.advanced(by: a.count()))
  }

  @inline(always)
  mutating func begin(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ context: LaneContext
  ) {
    unsafe a.begin(f, hidden: hidden, header, context)
    unsafe b.begin(f, hidden: hidden, header, context.advanced(by: a.count()))
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
  mutating func end(_ f: S.Format, _ header: UnsafeRawPointer, split: Bool) {
    unsafe a.end(f, header, split: split)
    unsafe b.end(f, header, split: split)
  }

  @inline(always)
  mutating func endInput() {
    a.endInput()
    b.endInput()
  }

  @inline(always)
  func save<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S {
    a.save(kind, index, context)
    b.save(kind, index, context.advanced(by: a.count()))
  }

  @inline(always)
  func finish<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S {
    a.finish(kind, index, context)
    b.finish(kind, index, context.advanced(by: a.count()))
  }
}

/// One lane and some more.
struct OneMore<L: Lanes>: Lanes {
  typealias S = L.S
  private var a: OneLane<S>
  private var b: L

  @inline(always)
  init(_ f: S.Format, _ totals: S.Totals) {
    a = OneLane(f, totals)
    b = L(f, totals)
  }

  @inline(always)
  func count() -> Int { 1 &+ b.count() }

  @inline(always)
  mutating func load<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext)
  where B.S == S {
    a.load(kind, index, context)
    b.load(kind, index, context.advanced(by: 1))
  }

  @inline(always)
  mutating func begin(
    _ f: S.Format, hidden: Bool, _ header: UnsafeRawPointer, _ context: LaneContext
  ) {
    unsafe a.begin(f, hidden: hidden, header, context)
    unsafe b.begin(f, hidden: hidden, header, context.advanced(by: 1))
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
  mutating func end(_ f: S.Format, _ header: UnsafeRawPointer, split: Bool) {
    unsafe a.end(f, header, split: split)
    unsafe b.end(f, header, split: split)
  }

  @inline(always)
  mutating func endInput() {
    a.endInput()
    b.endInput()
  }

  @inline(always)
  func save<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S {
    a.save(kind, index, context)
    b.save(kind, index, context.advanced(by: 1))
  }

  @inline(always)
  func finish<B: BlockKind>(_ kind: B, _ index: Int, _ context: LaneContext) where B.S == S {
    a.finish(kind, index, context)
    b.finish(kind, index, context.advanced(by: 1))
  }
}

/// Where a block stands.
@safe struct BlockPlace {
  let panel: UnsafeRawPointer
  /// Bytes of the biases.
  let biasBytes: Int
  /// The number of the block in the operation.
  let index: Int
  /// Whether even and odd groups have sums of their own.
  let split: Bool

  @inline(always)
  init(
    _ panel: UnsafeRawPointer, biasBytes: Int, index: Int, split: Bool
  ) {
    unsafe self.panel = panel
    self.biasBytes = biasBytes
    self.index = index
    self.split = split
  }
}

/// Adds the products of a block for as many lanes as `L` has.
@inline(always)
private func addProducts<L: Lanes, B: BlockKind>(
  _: L, _ f: B.S.Format, _ kind: B, _ place: BlockPlace, _ context: LaneContext, _ phase: Phase
) where L.S == B.S {
  var lanes = unsafe L(f, kind.load(place.panel))
  if phase == .recurrent { lanes.load(kind, place.index, context) }
  let shape = B.S(zero: f)
  let rows = shape.rows()
  let headerBytes = rows &* f.headerBytes
  let stride = rows &* f.groupBytes
  let operands = context.operands(f)
  var next = unsafe place.panel + place.biasBytes
  var part = 0
  while part < (kind.isRecurrent ? 2 : 1) {
    let groups = part == 0 ? operands.x.groups : operands.h.groups
    let header = unsafe next
    var w = unsafe next + headerBytes
    unsafe next += headerBytes &+ groups &* stride
    if !(part == 0 && phase == .recurrent || part == 1 && phase == .input) {
      unsafe lanes.begin(f, hidden: part == 1, header, context)
      var k = 0
      if place.split {
        while k &+ 1 < groups {
          unsafe lanes.add(f, shape.weights(f, w), k)
          unsafe lanes.addOdd(f, shape.weights(f, w + stride), k &+ 1)
          unsafe w += 2 &* stride
          k &+= 2
        }
        if k < groups { unsafe lanes.add(f, shape.weights(f, w), k) }
      } else {
        while k < groups {
          unsafe lanes.add(f, shape.weights(f, w), k)
          unsafe w += stride
          k &+= 1
        }
      }
      unsafe lanes.end(f, header, split: place.split)
      if part == 0 && kind.isRecurrent { lanes.endInput() }
    }
    part &+= 1
  }
  if phase == .input {
    lanes.save(kind, place.index, context)
  } else {
    lanes.finish(kind, place.index, context)
  }
}

/// Adds the products of a block for lanes one by one.
@inline(always)
func addSingle<B: BlockKind>(
  _ f: B.S.Format, _ kind: B, _ place: BlockPlace, _ lanes: LaneContext, count: Int, _ phase: Phase
) {
  let one = unsafe OneLane<B.S>(f, kind.load(place.panel))
  var lane = 0
  while lane < count {
    addProducts(one, f, kind, place, lanes.advanced(by: lane), phase)
    lane &+= 1
  }
}

/// Adds the products of a block for any number of lanes, as many at once as registers hold.
@inline(always)
func addProducts<B: BlockKind>(
  _ f: B.S.Format, _ kind: B, _ place: BlockPlace, _ lanes: LaneContext, count: Int, _ phase: Phase
) {
  let none = unsafe kind.load(place.panel)
  let one = OneLane<B.S>(f, none)
  var lane = 0
  #if WIDE_REGISTERS
    let two = Twice<OneLane<B.S>>(f, none)
    // 24 registers of sums.
    let registers = B.S(zero: f).rows() &* f.sumVectors &* (place.split ? 2 : 1)
    if registers == 3 || registers == 4 {
      let six = Twice<OneMore<Twice<OneLane<B.S>>>>(f, none)
      while lane &+ 6 <= count {
        addProducts(six, f, kind, place, lanes.advanced(by: lane), phase)
        lane &+= 6
      }
    } else if registers == 6 {
      let four = Twice<Twice<OneLane<B.S>>>(f, none)
      while lane &+ 4 <= count {
        addProducts(four, f, kind, place, lanes.advanced(by: lane), phase)
        lane &+= 4
      }
    } else if registers == 8 {
      let three = OneMore<Twice<OneLane<B.S>>>(f, none)
      while lane &+ 3 <= count {
        addProducts(three, f, kind, place, lanes.advanced(by: lane), phase)
        lane &+= 3
      }
    }
    while lane &+ 2 <= count {
      addProducts(two, f, kind, place, lanes.advanced(by: lane), phase)
      lane &+= 2
    }
  #endif
  while lane < count {
    addProducts(one, f, kind, place, lanes.advanced(by: lane), phase)
    lane &+= 1
  }
}
