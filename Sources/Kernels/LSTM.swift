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
    let (x, h) = cell.operands(f)
    let blocks = vectorCount(cell.hiddenSize)
    let columnBytes = (x.groups &+ h.groups) &* f.groupBytes &+ 2 &* f.headerBytes
    let pairBytes = 512 &+ 8 &* columnBytes
    var panels = Panels(count: (blocks &+ 1) &>> 1, backward: i.backward)
    while let pair = panels.next() {
      let panel = unsafe cell.weights + pair &* pairBytes
      if 2 &* pair &+ 1 == blocks {
        unsafe single(f, a, panel, x, h, 2 &* pair, cell)
        continue
      }
      #if WIDE_REGISTERS
        var totals = unsafe PairTotals(Four(panel), Four(panel + 256))
        unsafe addProduct(
          PairSums<FourSums<F>>(zero: f), f, &totals, panel + 512, split: f.splitsPairs,
          Parts(x, h))
        finish(a, totals.first, 2 &* pair, cell)
        finish(a, totals.second, 2 &* pair &+ 1, cell)
      #else
        var half = 0
        while half < 2 {
          var totals = unsafe Four(panel + 256 &* half)
          unsafe addProduct(
            FourSums<F>(zero: f), f, &totals, panel + 512, block: half, blocks: 2,
            split: f.splitsPairs, Parts(x, h))
          finish(a, totals, 2 &* pair &+ half, cell)
          half &+= 1
        }
      #endif
    }
  }

  @inline(always)
  private static func single<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ panel: UnsafeRawPointer, _ x: Operand, _ h: Operand, _ block: Int,
    _ cell: Cell
  ) {
    var totals = unsafe Four(panel)
    unsafe addProduct(FourSums<F>(zero: f), f, &totals, panel + 256, split: true, Parts(x, h))
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
