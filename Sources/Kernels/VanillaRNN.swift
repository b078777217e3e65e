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
    unsafe Rows.product(
      f, cell.weights, blocks: vectorCount(cell.hiddenSize), Parts(x, h), cell.nextH)
    activate(i, cell)
  }

  /// A step of several lanes.
  @inline(never)
  static func run<F: WeightFormat>(_ f: F, _ lanes: LaneContext, _ count: Int) {
    let sizes = prepare(f, lanes, count, input: true, hidden: true)
    let cell = lanes.cell
    unsafe Rows.product(
      f, cell.weights, blocks: vectorCount(cell.hiddenSize), sizes, lanes, count, .next)
    var lane = 0
    while lane < count {
      let one = lanes.advanced(by: lane)
      unsafe activate(one.first.pointee, one.cell)
      lane &+= 1
    }
  }

  /// From the sums, which stand in the place of the next hidden state, to that state.
  @inline(always)
  private static func activate(_ i: rn_instruction, _ cell: Cell) {
    let size = cell.hiddenSize
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

  /// The product for several lanes.
  @inline(never)
  static func run<F: WeightFormat>(_ f: F, _ lanes: LaneContext, _ count: Int) {
    let x = prepare(f, lanes, count, input: true, hidden: false).x
    let cell = lanes.cell
    unsafe Rows.product(
      f, cell.weights, blocks: vectorCount(cell.hiddenSize), PartSizes(x: x, h: 0), lanes, count,
      .next)
  }
}
