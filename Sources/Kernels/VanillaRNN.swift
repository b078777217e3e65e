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
