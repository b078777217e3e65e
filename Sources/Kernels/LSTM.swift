internal import CKernelShims

// i, f, o = sigmoid(W x + R h + b),  g = tanh(W x + R h + b),  c' = f c + i g,  h' = o tanh(c')
//
// Panels: two blocks of 16 units side by side (8 vectors a column: i f g o, i f g o), and one
// single block (4 vectors a column) where the number of blocks is odd. The first column is b, then
// come the columns of W, then those of R.

enum LSTM {
  @inline(always)
  static func step(
    _ weights: UnsafeRawPointer, x: UnsafePointer<Float>, inputSize: Int,
    h: UnsafePointer<Float>, hiddenSize: Int, c: UnsafeRawPointer,
    nextH: UnsafeMutableRawPointer, nextC: UnsafeMutableRawPointer
  ) {
    var w = unsafe weights
    let blocks = vectorCount(hiddenSize)
    var block = 0
    while block &+ 1 < blocks {
      #if WIDE_REGISTERS
        var first = unsafe Four(w)
        var second = unsafe Four(w + 256)
        unsafe w += 512
        var parts = unsafe Parts(x, inputSize, h, hiddenSize)
        repeat {
          unsafe passPair(&w, parts.source, parts.count, &first, &second)
        } while parts.turn()
        unsafe finish(first, block, c, nextH, nextC)
        unsafe finish(second, block &+ 1, c, nextH, nextC)
      #else
        unsafe finish(half(w, x, inputSize, h, hiddenSize), block, c, nextH, nextC)
        unsafe finish(
          half(w + 256, x, inputSize, h, hiddenSize), block &+ 1, c, nextH, nextC)
        unsafe w += 512 &* (1 &+ inputSize &+ hiddenSize)
      #endif
      block &+= 2
    }
    if block < blocks {
      let sums = unsafe quad(w, x, inputSize, h, hiddenSize)
      unsafe finish(sums, block, c, nextH, nextC)
    }
  }

  #if WIDE_REGISTERS
    /// Adds the products of `count` columns of two blocks.
    @inline(always)
    static func passPair(
      _ w: inout UnsafeRawPointer, _ x: UnsafePointer<Float>, _ count: Int,
      _ first: inout Four, _ second: inout Four
    ) {
      var k = 0
      while k < count {
        unsafe first.add(w, x[k])
        unsafe second.add(w + 256, x[k])
        unsafe w += 512
        k &+= 1
      }
    }
  #else
    /// The sums of one of two blocks; sixteen registers hold no more accumulators.
    @inline(always)
    static func half(
      _ panel: UnsafeRawPointer, _ x: UnsafePointer<Float>, _ inputSize: Int,
      _ h: UnsafePointer<Float>, _ hiddenSize: Int
    ) -> Four {
      var sums = unsafe Four(panel)
      var w = unsafe panel + 512
      var parts = unsafe Parts(x, inputSize, h, hiddenSize)
      repeat {
        var k = 0
        while k < parts.count {
          unsafe sums.add(w, parts.source[k])
          unsafe w += 512
          k &+= 1
        }
      } while parts.turn()
      return sums
    }
  #endif

  /// From the gates' sums of a block to its cell and hidden state.
  ///
  /// The gates' divisions are joined: i g is one quotient, o tanh(c') another.
  @inline(always)
  static func finish(
    _ gates: Four, _ block: Int, _ c: UnsafeRawPointer, _ nextH: UnsafeMutableRawPointer,
    _ nextC: UnsafeMutableRawPointer
  ) {
    let g = TanhFraction(gates.c)
    let admitted = g.numerator / (sigmoidDenominator(gates.a) * g.denominator)
    let kept = unsafe load(c, block) / sigmoidDenominator(gates.b)
    let cell = kept + admitted
    let t = TanhFraction(cell)
    let hidden = t.numerator / (sigmoidDenominator(gates.d) * t.denominator)
    unsafe store(flush(cell), nextC, block)
    unsafe store(flush(hidden), nextH, block)
  }
}
