internal import CKernelShims

// i, f, o = sigmoid(W x + R h + b),  g = tanh(W x + R h + b),  c' = f c + i g,  h' = o tanh(c')
//
// Panels: 16 units, 4 vectors a column: i f g o.

enum LSTM {
  /// A step of one stream, or its recurrent phase.
  @inline(never)
  static func step<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer, backward: UInt32, _ phase: Phase
  ) {
    unsafe GatedCell<LSTMUnits, FourSums<F>>(f).step(
      a, instruction, block, weights, backward: backward, phase)
  }

  /// A step of several lanes, or one of its phases.
  @inline(never)
  static func run<F: WeightFormat>(_ f: F, _ lanes: LaneContext, _ count: Int, _ phase: Phase) {
    GatedCell<LSTMUnits, FourSums<F>>(f).run(lanes, count, phase)
  }
}

/// 16 units of an LSTM.
struct LSTMUnits: Units {
  private let c: Vector
  private let o: Gate

  /// The cell state, with one division.
  ///
  ///     c' = (F c I G + I' G' F') / (F' I G)  for  f = F / F', i = I' / I, g = G' / G
  @inline(always)
  init<A: Accuracy>(_ a: A, _ gates: Four, _ block: Int, _ cell: Cell) {
    let g = a.tanh(gates.c)
    let i = a.sigmoid(gates.a)
    let f = a.sigmoid(gates.b)
    // What is ready last comes last.
    let kept = unsafe poisoned(load(cell.c, block), gates) * i.denominator * f.numerator
    let admitted = i.numerator * f.denominator * g.numerator
    c = rn_fma(kept, g.denominator, admitted) / (f.denominator * i.denominator * g.denominator)
    o = a.sigmoid(gates.d)
  }

  /// Writes the cell state and the hidden state, which takes another division.
  @inline(always)
  func finish<A: Accuracy>(_ a: A, _ block: Int, _ cell: Cell) {
    let t = a.tanh(c, o.denominator)
    unsafe store(flush(o.numerator * t.numerator / t.denominator), cell.nextH, block)
    unsafe store(flush(c), cell.nextC, block)
  }
}

/// c, or NaN where a sum is not finite: the step is then refused.
@inline(always)
private func poisoned(_ c: Vector, _ gates: Four) -> Vector {
  rn_fma(gates.a, .zero, rn_fma(gates.b, .zero, rn_fma(gates.c, .zero, rn_fma(gates.d, .zero, c))))
}
