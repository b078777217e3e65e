internal import CKernelShims

/// The units of a GRU whose reset gate acts after the recurrent product.
private struct GRUBlocks<Format: WeightFormat>: BlockKind {
  typealias S = ThreeSums<Format>
  /// Whether activations are of the fast class.
  let fast: Bool

  @inline(always)
  init(_ f: Format, fast: Bool) { self.fast = fast }

  @inline(always) var isRecurrent: Bool { true }

  @inline(always)
  func load(_ sums: UnsafeRawPointer) -> GRUTotals { unsafe GRUTotals(sums) }

  @inline(always)
  func save(_ totals: GRUTotals, _ sums: UnsafeMutableRawPointer) { unsafe totals.store(sums) }

  @inline(always)
  func finish(_ totals: GRUTotals, _ index: Int, _ cell: Cell) {
    GRUResetAfter.finishLane(fast, totals, index, cell)
  }
}

extension GRUResetAfter {
  /// Not inlined: tiles of lanes would hold it many times.
  @inline(never)
  fileprivate static func finishLane(
    _ fast: Bool, _ gates: GRUTotals, _ block: Int, _ cell: Cell
  ) {
    if fast {
      finish(Fast(), gates, block, cell)
    } else {
      finish(Exact(), gates, block, cell)
    }
  }

  /// A step of several lanes, or one of its phases.
  @inline(never)
  static func run<F: WeightFormat>(
    _ f: F, _ lanes: LaneContext, _ count: Int, _ phase: Phase,
    backward: UInt32
  ) {
    prepare(f, lanes, count, input: phase != .recurrent, hidden: phase != .input)
    let (x, h) = lanes.operands(f)
    let cell = lanes.cell
    let fast = unsafe lanes.first.pointee.fast != 0
    if count == 1, phase == .recurrent {
      if fast {
        pass(f, Fast(), cell, (x, h), backward: backward, .recurrent)
      } else {
        pass(f, Exact(), cell, (x, h), backward: backward, .recurrent)
      }
      return
    }
    let kind = GRUBlocks(f, fast: fast)
    let blocks = vectorCount(cell.hiddenSize)
    let columnBytes = (x.groups &+ h.groups) &* f.groupBytes &+ 2 &* f.headerBytes
    let panelBytes = wholeLines(256 &+ 3 &* columnBytes)
    var block = 0
    while block < blocks {
      let place = unsafe BlockPlace(
        cell.weights + block &* panelBytes, biasBytes: 256, index: block, split: !f.isExact)
      addProducts(f, kind, place, lanes, count: count, phase)
      block &+= 1
    }
  }
}
