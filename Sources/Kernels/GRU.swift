internal import CKernelShims

// r, z = sigmoid(W x + R h + b)
// reset after:   n = tanh(W_n x + b_n + r (R_n h + c_n))
// reset before:  n = tanh(W_n x + b_n + R_n (r h))
// h' = (1 - z) n + z h
//
// With E = exp(-z's sum), z = 1 / (1 + E), and n = N / D, h' = (E N + D h) / ((1 + E) D): one
// division for the gate, the candidate and the blend.

/// Reset after the recurrent product.
///
/// Panels: two blocks of 16 units side by side (6 vectors a column: r z n, r z n), and one single
/// block (3 vectors a column) where the number of blocks is odd. The first column is b_r, b_z, b_n
/// and c_n of each block, then come the columns of W, then those of R. Even and odd columns have
/// partial sums of their own.
enum GRUResetAfter {
  @inline(always)
  static func step(
    _ weights: UnsafeRawPointer, x: UnsafePointer<Float>, inputSize: Int,
    h: UnsafePointer<Float>, hiddenSize: Int, nextH: UnsafeMutableRawPointer
  ) {
    var w = unsafe weights
    let blocks = vectorCount(hiddenSize)
    let state = unsafe UnsafeRawPointer(h)
    var block = 0
    while block &+ 1 < blocks {
      #if WIDE_REGISTERS
        var first = unsafe Gates(bias: w)
        var second = unsafe Gates(bias: w + 256)
        unsafe w += 512
        var parts = unsafe Parts(x, inputSize, h, hiddenSize)
        while true {
          let source = unsafe parts.source
          let count = parts.count
          var k = 0
          while k &+ 1 < count {
            unsafe first.add(w, w + 384, source[k], source[k &+ 1])
            unsafe second.add(w + 192, w + 576, source[k], source[k &+ 1])
            unsafe w += 768
            k &+= 2
          }
          if k < count {
            unsafe first.add(w, source[k])
            unsafe second.add(w + 192, source[k])
            unsafe w += 384
          }
          if !parts.turn() { break }
          first.endInput()
          second.endInput()
        }
        unsafe store(first.next(load(state, block)), nextH, block)
        unsafe store(second.next(load(state, block &+ 1)), nextH, block &+ 1)
      #else
        unsafe store(
          one(bias: w, w + 512, stride: 384, x, inputSize, h, hiddenSize, load(state, block)),
          nextH, block)
        unsafe store(
          one(
            bias: w + 256, w + 704, stride: 384, x, inputSize, h, hiddenSize,
            load(state, block &+ 1)), nextH, block &+ 1)
        unsafe w += 512 &+ 384 &* (inputSize &+ hiddenSize)
      #endif
      block &+= 2
    }
    if block < blocks {
      unsafe store(
        one(bias: w, w + 256, stride: 192, x, inputSize, h, hiddenSize, load(state, block)),
        nextH, block)
    }
  }

  /// The next state of one block, whose columns stand `stride` bytes apart.
  @inline(always)
  static func one(
    bias: UnsafeRawPointer, _ columns: UnsafeRawPointer, stride: Int, _ x: UnsafePointer<Float>,
    _ inputSize: Int, _ h: UnsafePointer<Float>, _ hiddenSize: Int, _ state: Vector
  ) -> Vector {
    var gates = unsafe Gates(bias: bias)
    var w = unsafe columns
    var parts = unsafe Parts(x, inputSize, h, hiddenSize)
    while true {
      let source = unsafe parts.source
      let count = parts.count
      var k = 0
      while k &+ 1 < count {
        unsafe gates.add(w, w + stride, source[k], source[k &+ 1])
        unsafe w += 2 &* stride
        k &+= 2
      }
      if k < count {
        unsafe gates.add(w, source[k])
        unsafe w += stride
      }
      if !parts.turn() { break }
      gates.endInput()
    }
    return gates.next(state)
  }

  /// The sums of a block: r and z over all columns, n over those of W; over those of R, `n` holds
  /// the recurrent part of the candidate.
  struct Gates {
    var evenR, evenZ, evenN, oddR, oddZ, oddN, inputN, biasM: Vector

    @inline(always)
    init(bias: UnsafeRawPointer) {
      unsafe evenR = load(bias, 0)
      unsafe evenZ = load(bias, 1)
      unsafe evenN = load(bias, 2)
      unsafe biasM = load(bias, 3)
      oddR = .zero
      oddZ = .zero
      oddN = .zero
      inputN = .zero
    }

    /// Adds the products of one column.
    @inline(always)
    mutating func add(_ w: UnsafeRawPointer, _ x: Float) {
      unsafe evenR = fma(load(w, 0), x, evenR)
      unsafe evenZ = fma(load(w, 1), x, evenZ)
      unsafe evenN = fma(load(w, 2), x, evenN)
    }

    /// Adds the products of two columns.
    @inline(always)
    mutating func add(
      _ even: UnsafeRawPointer, _ odd: UnsafeRawPointer, _ x: Float, _ nextX: Float
    ) {
      unsafe add(even, x)
      unsafe oddR = fma(load(odd, 0), nextX, oddR)
      unsafe oddZ = fma(load(odd, 1), nextX, oddZ)
      unsafe oddN = fma(load(odd, 2), nextX, oddN)
    }

    /// Sets the input's part of the candidate aside and starts the recurrent part.
    @inline(always)
    mutating func endInput() {
      inputN = evenN + oddN
      evenN = biasM
      oddN = .zero
    }

    /// The next hidden state of the block, from its state before.
    @inline(always)
    func next(_ h: Vector) -> Vector {
      let candidate = inputN + (evenN + oddN) / sigmoidDenominator(evenR + oddR)
      return blend(z: evenZ + oddZ, candidate: candidate, h)
    }
  }
}

/// `(1 - z) n + z h`, from the sums of z and n.
@inline(always)
func blend(z: Vector, candidate: Vector, _ h: Vector) -> Vector {
  let update = Exponential(z, times: -1.44269504089, bound: 40)
  let n = TanhFraction(candidate)
  let sum = rn_fma(update.value, n.numerator, h * n.denominator)
  return flush(sum / (update.plusOne * n.denominator))
}

/// Reset before the recurrent product.
///
/// Two products of rows (see `Rows`): first all of r and all of z, each padded to whole blocks, over
/// the columns of x and h, then n over the columns of x and r h. The scratch holds r h, z and n.
enum GRUResetBefore {
  @inline(always)
  static func step(
    _ weights: UnsafeRawPointer, x: UnsafePointer<Float>, inputSize: Int,
    h: UnsafePointer<Float>, hiddenSize: Int, scratch: UnsafeMutableRawPointer,
    nextH: UnsafeMutableRawPointer
  ) {
    let blocks = vectorCount(hiddenSize)
    let state = unsafe UnsafeRawPointer(h)
    unsafe Rows.product(
      weights, x: x, inputSize: inputSize, h: h, hiddenSize: hiddenSize, blocks: 2 &* blocks,
      scratch)
    var block = 0
    while block < blocks {
      unsafe store(
        flush(load(state, block) / sigmoidDenominator(load(scratch, block))), scratch, block)
      block &+= 1
    }
    let candidate = unsafe scratch + 2 &* blocks &* vectorBytes
    unsafe Rows.product(
      weights + Rows.byteCount(blocks: 2 &* blocks, columns: 1 &+ inputSize &+ hiddenSize),
      x: x, inputSize: inputSize, h: UnsafeRawPointer(scratch).assumingMemoryBound(to: Float.self),
      hiddenSize: hiddenSize, blocks: blocks, candidate)
    block = 0
    while block < blocks {
      unsafe store(
        blend(
          z: load(scratch, blocks &+ block), candidate: load(candidate, block), load(state, block)),
        nextH, block)
      block &+= 1
    }
  }
}
