internal import CKernelShims

// r, z = sigmoid(W x + R h + b)
// reset after:   n = tanh(W_n x + b_n + r (R_n h + c_n))
// reset before:  n = tanh(W_n x + b_n + R_n (r h))
// h' = (1 - z) n + z h

/// The sums of a block's gates.
struct GRUTotals: PartTotals {
  var r, z, n, recurrentN: Vector

  @inline(always)
  init(r: Vector, z: Vector, n: Vector, recurrentN: Vector) {
    self.r = r
    self.z = z
    self.n = n
    self.recurrentN = recurrentN
  }

  /// Loads b_r, b_z, b_n and c_n.
  @inline(always)
  init(_ bias: UnsafeRawPointer) {
    unsafe r = load(bias, 0)
    unsafe z = load(bias, 1)
    unsafe n = load(bias, 2)
    unsafe recurrentN = load(bias, 3)
  }

  @inline(always) var isSplit: Bool { true }

  /// Sets the input's part of the candidate aside and starts the recurrent part.
  @inline(always)
  mutating func endInput() { swap(&n, &recurrentN) }

  @inline(always)
  mutating func addAside(_ sum: Vector) { recurrentN = recurrentN + sum }

  @inline(always)
  func storeAside(_ p: UnsafeMutableRawPointer) {
    unsafe rn_store(recurrentN, p + 3 &* vectorBytes)
  }

  @inline(always)
  func store(_ p: UnsafeMutableRawPointer) { unsafe Four(r, z, n, recurrentN).store(p) }
}

struct ThreeSums<Format: WeightFormat>: GateSums {
  typealias Half = TwoSums<Format, GRUHalf>
  typealias Tile = EightLanes<Self>
  typealias HalfTile = FourLanes<Self>
  var r, z, n: Format.Sum
  struct Weights { var r, z, n: Format.Weights }

  @inline(always)
  init(_ f: Format, _ totals: GRUTotals, _ header: UnsafeRawPointer) {
    unsafe r = f.begin(totals.r, header, 0)
    unsafe z = f.begin(totals.z, header, 1)
    unsafe n = f.begin(totals.n, header, 2)
  }

  @inline(always)
  init(zero f: Format) {
    r = f.zero
    z = f.zero
    n = f.zero
  }

  @inline(always)
  func rows() -> Int { 3 }

  @inline(always)
  func weights(_ f: Format, _ w: UnsafeRawPointer) -> Weights {
    unsafe Weights(
      r: f.weights(w), z: f.weights(w + f.groupBytes), n: f.weights(w + 2 &* f.groupBytes))
  }

  @inline(always)
  mutating func add(_ f: Format, _ w: Weights, _ x: Format.Word) {
    r = f.add(r, w.r, x)
    z = f.add(z, w.z, x)
    n = f.add(n, w.n, x)
  }

  @inline(always)
  mutating func merge(_ f: Format, _ other: Self) {
    r = f.merge(r, other.r)
    z = f.merge(z, other.z)
    n = f.merge(n, other.n)
  }

  @inline(always)
  mutating func setAside(
    _ f: Format, _ totals: inout GRUTotals, _ header: UnsafeRawPointer, isOdd: Bool
  ) {
    let sum = unsafe f.end(n, totals.n, header, 2, 3, 1)
    n = f.zero
    if isOdd {
      totals.addAside(sum)
    } else {
      totals.n = sum
      totals.endInput()
      unsafe n = f.begin(totals.n, header, 2)
    }
  }

  @inline(always)
  func end(_ f: Format, _ totals: inout GRUTotals, _ header: UnsafeRawPointer, _ scale: Float) {
    unsafe totals.r = f.end(r, totals.r, header, 0, 3, scale)
    unsafe totals.z = f.end(z, totals.z, header, 1, 3, scale)
    unsafe totals.n = f.end(n, totals.n, header, 2, 3, scale)
  }
}

/// Reset after the recurrent product.
///
/// Panels: 16 units, 3 vectors a column: r z n. The biases are b_r, b_z, b_n and c_n.
enum GRUResetAfter {
  /// A step of one stream, or its recurrent phase.
  @inline(never)
  static func step<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer, backward: UInt32, _ phase: Phase
  ) {
    unsafe GatedCell<GRUUnits, ThreeSums<F>>(f).step(
      a, instruction, block, weights, backward: backward, phase)
  }

  /// A step of several lanes, or one of its phases.
  @inline(never)
  static func run<F: WeightFormat>(_ f: F, _ lanes: LaneContext, _ count: Int, _ phase: Phase) {
    GatedCell<GRUUnits, ThreeSums<F>>(f).run(lanes, count, phase)
  }
}

/// 16 units of a GRU that resets after the recurrent product.
struct GRUUnits: Units {
  private let candidate: Vector
  private let z: Vector
  private let poison: Vector

  /// The candidate's sum, with one division.
  @inline(always)
  init<A: Accuracy>(_ a: A, _ gates: GRUTotals, _ block: Int, _ cell: Cell) {
    let r = a.sigmoid(gates.r)
    // Since the parts' turn, n is the recurrent part.
    candidate = gates.recurrentN + gates.n * r.numerator / r.denominator
    z = gates.z
    poison = gates.r
  }

  /// Writes the hidden state, which takes another division.
  @inline(always)
  func finish<A: Accuracy>(_ a: A, _ block: Int, _ cell: Cell) {
    let h = unsafe rn_fma(poison, .zero, load(cell.h, block))
    unsafe store(blend(a, z: z, candidate: candidate, h), cell.nextH, block)
  }
}

/// `(1 - z) n + z h`, from the sums of z and n, with one division for the gate, the candidate and
/// the blend; NaN where a sum is not finite, so that the step is refused.
@inline(always)
func blend<A: Accuracy>(_ a: A, z: Vector, candidate: Vector, _ h: Vector) -> Vector {
  let gate = a.sigmoid(z)
  let n = a.tanh(candidate)
  let keep = gate.numerator * rn_fma(candidate, .zero, rn_fma(z, .zero, h))
  let sum = rn_fma(gate.complement, n.numerator, keep * n.denominator)
  return flush(sum / (gate.denominator * n.denominator))
}

/// Reset before the recurrent product.
///
/// Two products of rows (see `Rows`): first all of r and all of z, each padded to whole blocks, over
/// the columns of x and h, then n over the columns of x and r h. The scratch holds r h, z and n.
enum GRUResetBefore {
  @inline(never)
  static func step<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) {
    let i = unsafe instruction.pointee
    let cell = unsafe Cell(i, block, weights)
    let scratch = unsafe block + Int(truncatingIfNeeded: i.scratch)
    let (x, h) = cell.operands(f)
    let blocks = vectorCount(cell.hiddenSize)
    unsafe Rows.product(f, cell.weights, blocks: 2 &* blocks, Parts(x, h), scratch)
    unsafe reset(a, cell, scratch)
    let candidate = unsafe scratch + 2 &* blocks &* vectorBytes
    let kept = unsafe cell.hidden(f, scratch)
    unsafe Rows.product(
      f, cell.weights + Rows.byteCount(f, blocks: 2 &* blocks, Parts(x, h).sizes), blocks: blocks,
      Parts(x, kept), candidate)
    unsafe finish(a, cell, scratch)
  }

  /// A step of several lanes.
  @inline(never)
  static func run<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ lanes: LaneContext, _ count: Int
  ) {
    let sizes = prepare(f, lanes, count, input: true, hidden: true)
    let cell = lanes.cell
    let blocks = vectorCount(cell.hiddenSize)
    unsafe Rows.product(f, cell.weights, blocks: 2 &* blocks, sizes, lanes, count, .scratch(0))
    var lane = 0
    while lane < count {
      let one = lanes.advanced(by: lane)
      unsafe reset(a, one.cell, one.scratch)
      let kept = unsafe one.cell.hidden(f, one.scratch)
      unsafe one.lanes.pointee.hiddenWords = kept.words
      unsafe one.lanes.pointee.hiddenScale = kept.scale
      lane &+= 1
    }
    unsafe Rows.product(
      f, cell.weights + Rows.byteCount(f, blocks: 2 &* blocks, sizes), blocks: blocks, sizes, lanes,
      count, .scratch(2 &* blocks &* vectorBytes))
    lane = 0
    while lane < count {
      let one = lanes.advanced(by: lane)
      unsafe finish(a, one.cell, one.scratch)
      lane &+= 1
    }
  }

  /// From the sums of r and z to r h, in the place of the former.
  @inline(always)
  private static func reset<A: Accuracy>(
    _ a: A, _ cell: Cell, _ scratch: UnsafeMutableRawPointer
  ) {
    let blocks = vectorCount(cell.hiddenSize)
    var k = 0
    while k < blocks {
      let r = unsafe load(scratch, k)
      // Integers cannot carry on that a sum is not finite, so that the sum of z does.
      unsafe store(rn_fma(r, .zero, load(scratch, blocks &+ k)), scratch, blocks &+ k)
      unsafe store(flush(load(cell.h, k) * a.sigmoid(r).value), scratch, k)
      k &+= 1
    }
  }

  /// From the sums of z and n to the next hidden state.
  @inline(always)
  private static func finish<A: Accuracy>(
    _ a: A, _ cell: Cell, _ scratch: UnsafeMutableRawPointer
  ) {
    let blocks = vectorCount(cell.hiddenSize)
    var k = 0
    while k < blocks {
      let (z, candidate) = unsafe (load(scratch, blocks &+ k), load(scratch, 2 &* blocks &+ k))
      unsafe store(blend(a, z: z, candidate: candidate, load(cell.h, k)), cell.nextH, k)
      k &+= 1
    }
  }
}
