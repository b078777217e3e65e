internal import CKernelShims

/// `h' = f(W x + R h + b)` for f = tanh or the rectifier.
enum VanillaRNN {
  @inline(never)
  static func step<F: WeightFormat>(
    _ f: F, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) {
    let i = unsafe instruction.pointee
    let cell = unsafe Cell(i, block, weights)
    let (x, h) = cell.operands(f)
    let size = cell.hiddenSize
    unsafe Rows.product(f, cell.weights, blocks: vectorCount(size), Parts(x, h), cell.nextH)
    let sums = unsafe UnsafeRawPointer(cell.nextH)
    if Int(truncatingIfNeeded: i.code) == RN_RNN_RELU {
      unsafe Elementwise.map(sums, size, cell.nextH) { rn_relu($0) }
    } else if i.fast != 0 {
      unsafe Elementwise.tanh(Fast(), sums, size, cell.nextH)
    } else {
      unsafe Elementwise.tanh(Exact(), sums, size, cell.nextH)
    }
  }
}

/// `y = W x + b`.
enum Dense {
  @inline(never)
  static func step<F: WeightFormat>(
    _ f: F, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) {
    let i = unsafe instruction.pointee
    let cell = unsafe Cell(i, block, weights)
    unsafe Rows.product(
      f, cell.weights, blocks: vectorCount(cell.hiddenSize), Parts(cell.input(f)), cell.nextH)
  }
}

/// 64 rows of a matrix.
private struct RowBlocks<Format: WeightFormat>: BlockKind {
  typealias S = FourSums<Format>

  @inline(always)
  init(_ f: Format) {}

  @inline(always) var isRecurrent: Bool { false }

  @inline(always)
  func load(_ sums: UnsafeRawPointer) -> Four { unsafe Four(sums) }

  @inline(always)
  func save(_ totals: Four, _ sums: UnsafeMutableRawPointer) { unsafe totals.store(sums) }

  @inline(always)
  func finish(_ totals: Four, _ index: Int, _ cell: Cell) {
    let rows = Four(flush(totals.a), flush(totals.b), flush(totals.c), flush(totals.d))
    unsafe rows.store(cell.nextH + 256 &* index)
  }
}

extension Dense {
  /// The product for several lanes.
  @inline(never)
  static func run<F: WeightFormat>(_ f: F, _ lanes: LaneContext, _ count: Int) {
    prepare(f, lanes, count, input: true, hidden: false)
    let cell = lanes.cell
    let x = lanes.operands(f).x
    let blocks = vectorCount(cell.hiddenSize)
    let (fourBytes, oneBytes) = (
      Rows.panelBytes(f, blocks: 4, Parts(x)), Rows.panelBytes(f, blocks: 1, Parts(x))
    )
    var panel = unsafe cell.weights
    var block = 0
    while block &+ 3 < blocks {
      let place = unsafe BlockPlace(
        panel, biasBytes: 256, index: block &>> 2, split: !f.isExact)
      addProducts(f, RowBlocks(f), place, lanes, count: count, .step)
      unsafe panel += fourBytes
      block &+= 4
    }
    while block < blocks {
      var lane = 0
      while lane < count {
        let one = lanes.advanced(by: lane)
        unsafe store(
          flush(Rows.single(f, panel, Parts(one.operands(f).x))), one.cell.nextH, block)
        lane &+= 1
      }
      unsafe panel += oneBytes
      block &+= 1
    }
  }
}
