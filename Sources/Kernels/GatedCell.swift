internal import CKernelShims

/// 16 units of a cell between their gates' sums and their next states, in two steps, so that those of
/// two blocks can take turns: each step is a chain of operations that wait for each other.
protocol Units {
  associatedtype Totals: PartTotals
  init<A: Accuracy>(_ a: A, _ sums: Totals, _ block: Int, _ cell: Cell)
  /// Writes the states of a block.
  func finish<A: Accuracy>(_ a: A, _ block: Int, _ cell: Cell)
}

/// A cell whose gates are sums over panels of 16 units.
///
/// A panel is the biases, which are four vectors, then the columns. Of a last block of at most 8
/// units, two gates share a vector (`HalfBlock`).
struct GatedCell<U: Units, S: GateSums> where U.Totals == S.Totals {
  let format: S.Format

  @inline(always)
  init(_ format: S.Format) { self.format = format }

  /// A step of one stream, or its recurrent phase.
  @inline(always)
  func step<A: Accuracy>(
    _ a: A, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer, backward: UInt32, _ phase: Phase
  ) {
    let cell = unsafe Cell(instruction.pointee, block, weights)
    let x = phase == .step ? cell.input(format) : cell.operands(format, (0, 0)).x
    let h = unsafe cell.hidden(format, cell.h)
    let blocks = vectorCount(cell.hiddenSize)
    #if WIDE_REGISTERS
      if blocks == 2 {
        // Two chains of operations take turns.
        let sums = sums(cell, x, h, 0, phase)
        let others: S.Totals
        if cell.hasHalfBlock {
          others = halfSums(cell, x, h, 1, phase).whole
        } else {
          others = self.sums(cell, x, h, 1, phase)
        }
        let first = U(a, sums, 0, cell)
        let second = U(a, others, 1, cell)
        first.finish(a, 0, cell)
        second.finish(a, 1, cell)
        return
      }
    #endif
    var panels = Panels(count: cell.hasHalfBlock ? blocks &- 1 : blocks, backward: backward)
    var block = blocks &- 1
    let first: S.Totals
    if cell.hasHalfBlock {
      first = halfSums(cell, x, h, block, phase).whole
    } else {
      block = panels.next() ?? 0
      first = sums(cell, x, h, block, phase)
    }
    var units = U(a, first, block, cell)
    while let next = panels.next() {
      // A block ends behind the next one's product: the instructions that wait for its chain would
      // keep those of the product out of the CPU's window.
      let sums = sums(cell, x, h, next, phase)
      units.finish(a, block, cell)
      units = U(a, sums, next, cell)
      block = next
    }
    units.finish(a, block, cell)
  }

  /// The gates' sums of a block.
  @inline(always)
  private func sums(_ cell: Cell, _ x: Operand, _ h: Operand, _ block: Int, _ phase: Phase)
    -> S.Totals
  {
    sums(S(zero: format), cell, x, h, block, phase)
  }

  /// The gates' sums of a half block.
  @inline(always)
  private func halfSums(_ cell: Cell, _ x: Operand, _ h: Operand, _ block: Int, _ phase: Phase)
    -> S.Half.Totals
  {
    sums(S.Half(zero: format), cell, x, h, block, phase)
  }

  @inline(always)
  private func sums<T: Sums>(
    _ zero: T, _ cell: Cell, _ x: Operand, _ h: Operand, _ block: Int, _ phase: Phase
  ) -> T.Totals where T.Format == S.Format {
    var panel = unsafe cell.weights + block &* panelBytes(PartSizes(x: x.groups, h: h.groups))
    if phase == .step {
      var sums = unsafe T.Totals(panel)
      var odd = zero
      unsafe addProduct(&odd, format, &sums, panel + 4 &* vectorBytes, Parts(x, h), .step)
      return sums
    }
    let kept = unsafe UnsafeRawPointer(cell.inputSums(block))
    var sums = unsafe T.Totals(kept)
    unsafe panel +=
      4 &* vectorBytes
      &+ zero.rows() &* (format.headerBytes &+ x.groups &* format.groupBytes)
    var odd = zero
    if !format.isExact { unsafe odd = T(format, T.Totals(kept + 4 &* vectorBytes), panel) }
    unsafe addProduct(&odd, format, &sums, panel, Parts(h), .recurrent)
    return sums
  }

  /// Bytes from one block's panel to the next one's.
  @inline(always)
  private func panelBytes(_ sizes: PartSizes) -> Int {
    wholeLines(4 &* vectorBytes &+ partBytes(sizes.x) &+ partBytes(sizes.h))
  }

  /// Bytes of a part of a panel.
  @inline(always)
  private func partBytes(_ groups: Int) -> Int {
    S(zero: format).rows() &* (format.headerBytes &+ groups &* format.groupBytes)
  }

  /// A step of several lanes, or one of its phases.
  ///
  /// A block's weights, which come from far away in a large model, serve all lanes whose vectors stay
  /// in L2.
  @inline(always)
  func run(_ lanes: LaneContext, _ count: Int, _ phase: Phase) {
    let sizes = prepare(format, lanes, count, input: phase != .recurrent, hidden: phase != .input)
    let cell = lanes.cell
    let blocks = vectorCount(cell.hiddenSize)
    let panelBytes = panelBytes(sizes)
    var start = 0
    while start < count {
      let end = min(start &+ 8 &* RN_BATCH, count)
      var block = 0
      while block < blocks {
        let panel = unsafe cell.weights + block &* panelBytes
        var first = start
        while first < end {
          let size = min(RN_BATCH, end &- first)
          unsafe run(panel, sizes, lanes.advanced(by: first), size, block, phase)
          first &+= size
        }
        block &+= 1
      }
      start = end
    }
  }

  /// A block of a batch of lanes.
  @inline(always)
  private func run(
    _ panel: UnsafeRawPointer, _ sizes: PartSizes, _ batch: LaneContext, _ size: Int, _ block: Int,
    _ phase: Phase
  ) {
    let cell = batch.cell
    if cell.hasHalfBlock && block &+ 1 == vectorCount(cell.hiddenSize) {
      unsafe run(S.Half(zero: format), panel, sizes, batch, size, block, phase)
      var lane = 0
      while phase != .input && lane < size {
        let work = unsafe batch.lane(lane).work
        unsafe S.Half.Totals(UnsafeRawPointer(work)).whole.store(work)
        lane &+= 1
      }
    } else {
      unsafe run(S(zero: format), panel, sizes, batch, size, block, phase)
    }
    if phase == .input { return }
    if unsafe batch.first.pointee.fast != 0 {
      LaneFinish<U, Fast>(Fast()).run(batch, size, block)
    } else {
      LaneFinish<U, Exact>(Exact()).run(batch, size, block)
    }
  }

  /// The gates' sums of a block in a batch of lanes: to the working memory, or kept after the input's
  /// part.
  @inline(always)
  private func run<T: Sums>(
    _ zero: T, _ panel: UnsafeRawPointer, _ sizes: PartSizes, _ batch: LaneContext, _ size: Int,
    _ block: Int, _ phase: Phase
  ) where T.Format == S.Format {
    var lane = 0
    while phase == .recurrent && lane < size {
      let one = batch.lane(lane)
      let kept = unsafe one.cell.inputSums(block)
      unsafe T.Totals(UnsafeRawPointer(kept)).store(one.work)
      if !format.isExact {
        unsafe T.Totals(UnsafeRawPointer(kept) + 4 &* vectorBytes).store(one.oddWork)
      }
      lane &+= 1
    }
    unsafe addProducts(zero, format, panel, sizes, batch, size, phase)
    lane = 0
    while phase == .input && lane < size {
      let one = batch.lane(lane)
      let kept = unsafe one.cell.inputSums(block)
      unsafe T.Totals(UnsafeRawPointer(one.work)).store(kept)
      if !format.isExact {
        unsafe T.Totals(UnsafeRawPointer(one.oddWork)).store(kept + 4 &* vectorBytes)
      }
      lane &+= 1
    }
  }
}

/// The end of a block's step in several lanes.
private struct LaneFinish<U: Units, A: Accuracy> {
  private let a: A

  @inline(always)
  init(_ a: A) { self.a = a }

  /// Not inlined: no type of weights needs a copy of its own.
  @inline(never)
  func run(_ lanes: LaneContext, _ count: Int, _ block: Int) {
    var lane = 0
    #if WIDE_REGISTERS
      while lane &+ 1 < count {
        let (one, other) = (lanes.lane(lane), lanes.lane(lane &+ 1))
        let (cell, otherCell) = (one.cell, other.cell)
        let first = unsafe U(a, U.Totals(UnsafeRawPointer(one.work)), block, cell)
        let second = unsafe U(a, U.Totals(UnsafeRawPointer(other.work)), block, otherCell)
        first.finish(a, block, cell)
        second.finish(a, block, otherCell)
        lane &+= 2
      }
    #endif
    while lane < count {
      let one = lanes.lane(lane)
      let cell = one.cell
      unsafe U(a, U.Totals(UnsafeRawPointer(one.work)), block, cell).finish(a, block, cell)
      lane &+= 1
    }
  }
}
