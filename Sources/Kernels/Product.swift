internal import CKernelShims

// Matrix-vector products over panels: for each column of the matrix, the weights of a few vectors
// (16 rows each) side by side, so that a pass reads memory in one forward stream.
//
// Each row's sum is a lane of its own: bias, then the columns in order, in as many partial sums as
// the function's name says, added up pairwise at the end. The order depends on the panel's shape
// only, never on the width of the CPU's registers, so all levels with FMA give the same bits.

/// Four accumulators.
struct Four {
  var a, b, c, d: Vector

  @inline(always)
  init(_ a: Vector, _ b: Vector, _ c: Vector, _ d: Vector) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  /// Loads four vectors that stand side by side.
  @inline(always)
  init(_ p: UnsafeRawPointer) {
    unsafe self.init(load(p, 0), load(p, 1), load(p, 2), load(p, 3))
  }

  /// Adds four weights' products with `x`.
  @inline(always)
  mutating func add(_ w: UnsafeRawPointer, _ x: Float) {
    let x = Vector(repeating: x)
    unsafe a = rn_fma(load(w, 0), x, a)
    unsafe b = rn_fma(load(w, 1), x, b)
    unsafe c = rn_fma(load(w, 2), x, c)
    unsafe d = rn_fma(load(w, 3), x, d)
  }
}

/// The vectors that a cell's matrices are multiplied with: first x, then h.
///
/// One loop runs over both parts, so its code exists once, and the CPU's prefetchers, which go by
/// the address of a load instruction, keep following the weights when the vector changes: worth a
/// quarter of the time of a step whose weights come from L2.
@safe struct Parts {
  /// The current vector.
  var source: UnsafePointer<Float>
  /// Its number of elements.
  var count: Int
  private let h: UnsafePointer<Float>
  /// The number of elements of h, as long as it is to come.
  private var left: Int

  @inline(always)
  init(
    _ x: UnsafePointer<Float>, _ inputSize: Int, _ h: UnsafePointer<Float>, _ hiddenSize: Int
  ) {
    unsafe source = x
    count = inputSize
    unsafe self.h = h
    left = hiddenSize
  }

  /// Goes on to h, or says that there is nothing left.
  @inline(always)
  mutating func turn() -> Bool {
    if left == 0 { return false }
    unsafe source = h
    count = left
    left = 0
    return true
  }
}

/// The sums of a panel of four vectors a column, even and odd columns in partial sums of their own:
/// the bias, which is the first column, then the columns of x, then those of h.
@inline(always)
func quad(
  _ panel: UnsafeRawPointer, _ x: UnsafePointer<Float>, _ inputSize: Int,
  _ h: UnsafePointer<Float>, _ hiddenSize: Int
) -> Four {
  #if WIDE_REGISTERS
    var even = unsafe Four(panel)
    var odd = Four(.zero, .zero, .zero, .zero)
    var w = unsafe panel + 256
    var parts = unsafe Parts(x, inputSize, h, hiddenSize)
    repeat {
      let source = unsafe parts.source
      var k = 0
      while k &+ 1 < parts.count {
        unsafe even.add(w, source[k])
        unsafe odd.add(w + 256, source[k &+ 1])
        unsafe w += 512
        k &+= 2
      }
      if k < parts.count {
        unsafe even.add(w, source[k])
        unsafe w += 256
      }
    } while parts.turn()
    return Four(even.a + odd.a, even.b + odd.b, even.c + odd.c, even.d + odd.d)
  #else
    // Sixteen registers hold no more than half of the accumulators.
    let (a, b) = unsafe halfQuad(panel, x, inputSize, h, hiddenSize)
    let (c, d) = unsafe halfQuad(panel + 128, x, inputSize, h, hiddenSize)
    return Four(a, b, c, d)
  #endif
}

#if !WIDE_REGISTERS
  /// The sums of two of the four vectors of a panel.
  @inline(always)
  private func halfQuad(
    _ panel: UnsafeRawPointer, _ x: UnsafePointer<Float>, _ inputSize: Int,
    _ h: UnsafePointer<Float>, _ hiddenSize: Int
  ) -> (Vector, Vector) {
    var (evenA, evenB) = unsafe (load(panel, 0), load(panel, 1))
    var (oddA, oddB) = (Vector.zero, Vector.zero)
    var w = unsafe panel + 256
    var parts = unsafe Parts(x, inputSize, h, hiddenSize)
    repeat {
      let source = unsafe parts.source
      var k = 0
      while k &+ 1 < parts.count {
        unsafe evenA = fma(load(w, 0), source[k], evenA)
        unsafe evenB = fma(load(w, 1), source[k], evenB)
        unsafe oddA = fma(load(w, 4), source[k &+ 1], oddA)
        unsafe oddB = fma(load(w, 5), source[k &+ 1], oddB)
        unsafe w += 512
        k &+= 2
      }
      if k < parts.count {
        unsafe evenA = fma(load(w, 0), source[k], evenA)
        unsafe evenB = fma(load(w, 1), source[k], evenB)
        unsafe w += 256
      }
    } while parts.turn()
    return (evenA + oddA, evenB + oddB)
  }
#endif

/// `W x + R h + b` for matrices of any number of rows: dense layers, vanilla RNNs.
///
/// Panels of four blocks of 16 rows (4 vectors a column, two partial sums), then single blocks
/// (1 vector a column, four partial sums). In each, the first column is b, then come the columns of
/// W, then those of R.
enum Rows {
  /// Bytes of the panels of `blocks` blocks of 16 rows, for a given number of columns with b.
  @inline(always)
  static func byteCount(blocks: Int, columns: Int) -> Int { blocks &* columns &* vectorBytes }

  /// Writes the sums of `blocks` blocks of 16 rows to `sums`.
  @inline(always)
  static func product(
    _ weights: UnsafeRawPointer, x: UnsafePointer<Float>, inputSize: Int,
    h: UnsafePointer<Float>, hiddenSize: Int, blocks: Int, _ sums: UnsafeMutableRawPointer
  ) {
    var w = unsafe weights
    var block = 0
    while block &+ 3 < blocks {
      let rows = unsafe quad(w, x, inputSize, h, hiddenSize)
      unsafe w += 256 &* (1 &+ inputSize &+ hiddenSize)
      unsafe store(flush(rows.a), sums, block)
      unsafe store(flush(rows.b), sums, block &+ 1)
      unsafe store(flush(rows.c), sums, block &+ 2)
      unsafe store(flush(rows.d), sums, block &+ 3)
      block &+= 4
    }
    while block < blocks {
      var partial = unsafe Four(load(w), .zero, .zero, .zero)
      unsafe w += vectorBytes
      var parts = unsafe Parts(x, inputSize, h, hiddenSize)
      repeat {
        unsafe passSingle(&w, parts.source, parts.count, &partial)
      } while parts.turn()
      unsafe store(flush((partial.a + partial.b) + (partial.c + partial.d)), sums, block)
      block &+= 1
    }
  }

  /// Adds the products of `count` columns of one vector, in four partial sums.
  @inline(always)
  static func passSingle(
    _ w: inout UnsafeRawPointer, _ x: UnsafePointer<Float>, _ count: Int, _ partial: inout Four
  ) {
    var k = 0
    while k &+ 3 < count {
      unsafe partial.a = fma(load(w, 0), x[k], partial.a)
      unsafe partial.b = fma(load(w, 1), x[k &+ 1], partial.b)
      unsafe partial.c = fma(load(w, 2), x[k &+ 2], partial.c)
      unsafe partial.d = fma(load(w, 3), x[k &+ 3], partial.d)
      unsafe w += 256
      k &+= 4
    }
    while k < count {
      unsafe partial.a = fma(load(w), x[k], partial.a)
      unsafe w += vectorBytes
      k &+= 1
    }
  }
}
