internal import CKernelShims

// i, f, o = sigmoid(W x + R h + b),  g = tanh(W x + R h + b),  c' = f c + i g,  h' = o tanh(c')
//
// Panels: 16 units, 4 vectors a column: i f g o. A step passes two panels at once, and a single one
// where the number of panels is odd.

enum LSTM {
  @inline(never)
  static func step<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) {
    let i = unsafe instruction.pointee
    let cell = unsafe Cell(i, block, weights)
    pass(f, a, cell, cell.operands(f), backward: i.backward, .step)
  }

  /// A step, or its recurrent phase.
  @inline(always)
  static func pass<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ cell: Cell, _ operands: (x: Operand, h: Operand), backward: UInt32,
    _ phase: Phase
  ) {
    let (x, h) = operands
    let parts = phase == .step ? Parts(x, h) : Parts(h)
    // Vectors of rows in the input's part that a recurrent phase leaves out.
    let skipped = phase == .step ? 0 : x.groups &* f.groupBytes &+ f.headerBytes
    let blocks = vectorCount(cell.hiddenSize)
    let columnBytes = (x.groups &+ h.groups) &* f.groupBytes &+ 2 &* f.headerBytes
    let panelBytes = wholeLines(256 &+ 4 &* columnBytes)
    var panels = Panels(count: (blocks &+ 1) &>> 1, backward: backward)
    while let pair = panels.next() {
      let block = 2 &* pair
      let panel = unsafe cell.weights + block &* panelBytes
      var first = unsafe start(panel, block, cell, phase)
      if block &+ 1 == blocks {
        unsafe addProduct(
          FourSums<F>(zero: f), f, &first, panel + (256 &+ 4 &* skipped), split: true, parts)
        finish(a, first, block, cell)
        continue
      }
      var second = unsafe start(panel + panelBytes, block &+ 1, cell, phase)
      #if WIDE_REGISTERS
        unsafe addProducts(
          FourSums<F>(zero: f), f, &first, &second, panel + (256 &+ 4 &* skipped),
          distance: panelBytes, split: f.splitsPairs, parts)
        finish(a, first, block, cell)
      #else
        unsafe addProduct(
          FourSums<F>(zero: f), f, &first, panel + (256 &+ 4 &* skipped), split: f.splitsPairs,
          parts)
        finish(a, first, block, cell)
        unsafe addProduct(
          FourSums<F>(zero: f), f, &second, panel + (panelBytes &+ 256 &+ 4 &* skipped),
          split: f.splitsPairs, parts)
      #endif
      finish(a, second, block &+ 1, cell)
    }
  }

  /// The sums to start a block from: its biases, or those of the input's part.
  @inline(always)
  private static func start(
    _ panel: UnsafeRawPointer, _ block: Int, _ cell: Cell, _ phase: Phase
  ) -> Four {
    unsafe Four(phase == .step ? panel : UnsafeRawPointer(cell.inputSums(block)))
  }

  /// From the gates' sums of a block to its cell and hidden state, with one division for each.
  ///
  ///     c' = (F c I G + I' G' F') / (F' I G)  for  f = F / F', i = I' / I, g = G' / G
  @inline(always)
  static func finish<A: Accuracy>(_ a: A, _ gates: Four, _ block: Int, _ cell: Cell) {
    let i = a.sigmoid(gates.a)
    let f = a.sigmoid(gates.b)
    let g = a.tanh(gates.c)
    let o = a.sigmoid(gates.d)
    let scale = i.denominator * g.denominator
    let kept = unsafe poisoned(load(cell.c, block), gates) * scale
    let admitted = i.numerator * (g.numerator * f.denominator)
    let c = rn_fma(f.numerator, kept, admitted) / (f.denominator * scale)
    unsafe store(flush(c), cell.nextC, block)
    let t = a.tanh(c, o.denominator)
    unsafe store(flush(o.numerator * t.numerator / t.denominator), cell.nextH, block)
  }

  /// c, or NaN where a sum is not finite: the step is then refused.
  @inline(always)
  private static func poisoned(_ c: Vector, _ gates: Four) -> Vector {
    rn_fma(
      gates.a, .zero, rn_fma(gates.b, .zero, rn_fma(gates.c, .zero, rn_fma(gates.d, .zero, c))))
  }
}
