internal import CKernelShims

// i, f, o = sigmoid(W x + R h + b),  g = tanh(W x + R h + b),  c' = f c + i g,  h' = o tanh(c')
//
// Panels: two blocks of 16 units side by side (8 vectors a column: i f g o, i f g o), and one
// single block (4 vectors a column) where the number of blocks is odd.

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
    let pairBytes = 512 &+ 8 &* columnBytes
    var panels = Panels(count: (blocks &+ 1) &>> 1, backward: backward)
    while let pair = panels.next() {
      let panel = unsafe cell.weights + pair &* pairBytes
      if 2 &* pair &+ 1 == blocks {
        unsafe single(f, a, panel, parts, skipped, 2 &* pair, cell, phase)
        continue
      }
      #if WIDE_REGISTERS
        var totals = unsafe PairTotals(
          start(panel, 0, pair, cell, phase), start(panel, 1, pair, cell, phase))
        unsafe addProduct(
          PairSums<FourSums<F>>(zero: f), f, &totals, panel + (512 &+ 8 &* skipped), split: f.splitsPairs,
          parts)
        finish(a, totals.first, 2 &* pair, cell)
        finish(a, totals.second, 2 &* pair &+ 1, cell)
      #else
        var half = 0
        while half < 2 {
          var totals = unsafe start(panel, half, pair, cell, phase)
          unsafe addProduct(
            FourSums<F>(zero: f), f, &totals, panel + (512 &+ 8 &* skipped), block: half, blocks: 2,
            split: f.splitsPairs, parts)
          finish(a, totals, 2 &* pair &+ half, cell)
          half &+= 1
        }
      #endif
    }
  }

  /// The sums to start a block of a pair from: its biases, or those of the input's part.
  @inline(always)
  private static func start(
    _ panel: UnsafeRawPointer, _ block: Int, _ pair: Int, _ cell: Cell, _ phase: Phase
  ) -> Four {
    unsafe Four(
      phase == .step ? panel + 256 &* block : UnsafeRawPointer(cell.inputSums(2 &* pair &+ block)))
  }

  @inline(always)
  private static func single<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ panel: UnsafeRawPointer, _ parts: Parts, _ skipped: Int, _ block: Int,
    _ cell: Cell, _ phase: Phase
  ) {
    var totals = unsafe start(panel, 0, block &>> 1, cell, phase)
    unsafe addProduct(FourSums<F>(zero: f), f, &totals, panel + (256 &+ 4 &* skipped), split: true, parts)
    finish(a, totals, block, cell)
  }

  /// From the gates' sums of a block to its cell and hidden state, with one division for each:
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
