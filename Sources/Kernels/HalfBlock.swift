internal import CKernelShims

// A cell's last block where it has at most 8 units and is not the only one: two gates share a vector, so
// that most multiplications with rows that do not exist are spared.

/// The sums of a cell's gates, which are as many vectors as gates.
protocol GateSums: Sums {
  /// Those of a half block.
  associatedtype Half: Sums
  where Half.Format == Format, Half.Totals: HalfTotals, Half.Totals.Whole == Totals
}

/// Two vectors of sums as floats, with what happens between the parts.
protocol HalfTotals: PartTotals {
  associatedtype Whole: PartTotals
  var a: Vector { get set }
  var b: Vector { get set }
  /// The totals of 16 units, of which the last 8 are zeros.
  var whole: Whole { get }
}

/// An LSTM's gates: i and f in one vector, g and o in the other.
struct LSTMHalf: HalfTotals, WholeTotals {
  var a, b: Vector

  @inline(always)
  init(_ p: UnsafeRawPointer) {
    unsafe a = load(p, 0)
    unsafe b = load(p, 1)
  }

  @inline(always)
  func store(_ p: UnsafeMutableRawPointer) {
    unsafe rn_store(a, p)
    unsafe rn_store(b, p + vectorBytes)
  }

  @inline(always)
  var whole: Four { Four(rn_low_half(a), rn_high_half(a), rn_low_half(b), rn_high_half(b)) }
}

/// A GRU's gates: r and z in one vector, n in the other.
struct GRUHalf: HalfTotals {
  var a, b: Vector
  private var recurrentN: Vector

  @inline(always)
  init(_ p: UnsafeRawPointer) {
    unsafe a = load(p, 0)
    unsafe b = load(p, 1)
    unsafe recurrentN = load(p, 2)
  }

  @inline(always) var isSplit: Bool { true }

  @inline(always)
  mutating func endInput() { swap(&b, &recurrentN) }

  @inline(always)
  mutating func addAside(_ sum: Vector) { recurrentN = recurrentN + sum }

  @inline(always)
  func storeAside(_ p: UnsafeMutableRawPointer) {
    unsafe rn_store(recurrentN, p + 2 &* vectorBytes)
  }

  @inline(always)
  func store(_ p: UnsafeMutableRawPointer) {
    unsafe rn_store(a, p)
    unsafe rn_store(b, p + vectorBytes)
    unsafe rn_store(recurrentN, p + 2 &* vectorBytes)
  }

  @inline(always)
  var whole: GRUTotals {
    GRUTotals(r: rn_low_half(a), z: rn_high_half(a), n: b, recurrentN: recurrentN)
  }
}

struct TwoSums<Format: WeightFormat, Totals: HalfTotals>: Sums {
  typealias Tile = EightLanes<Self>
  typealias HalfTile = FourLanes<Self>
  var a, b: Format.Sum
  struct Weights { var a, b: Format.Weights }

  @inline(always)
  init(_ f: Format, _ totals: Totals, _ header: UnsafeRawPointer) {
    unsafe a = f.begin(totals.a, header, 0)
    unsafe b = f.begin(totals.b, header, 1)
  }

  @inline(always)
  init(zero f: Format) {
    a = f.zero
    b = f.zero
  }

  @inline(always)
  func rows() -> Int { 2 }

  @inline(always)
  func weights(_ f: Format, _ w: UnsafeRawPointer) -> Weights {
    unsafe Weights(a: f.weights(w), b: f.weights(w + f.groupBytes))
  }

  @inline(always)
  mutating func add(_ f: Format, _ w: Weights, _ x: Format.Word) {
    a = f.add(a, w.a, x)
    b = f.add(b, w.b, x)
  }

  @inline(always)
  mutating func merge(_ f: Format, _ other: Self) {
    a = f.merge(a, other.a)
    b = f.merge(b, other.b)
  }

  @inline(always)
  mutating func setAside(
    _ f: Format, _ totals: inout Totals, _ header: UnsafeRawPointer, isOdd: Bool
  ) {
    guard totals.isSplit else { return }
    let sum = unsafe f.end(b, totals.b, header, 1, 2, 1)
    b = f.zero
    if isOdd {
      totals.addAside(sum)
    } else {
      totals.b = sum
      totals.endInput()
      unsafe b = f.begin(totals.b, header, 1)
    }
  }

  @inline(always)
  func end(_ f: Format, _ totals: inout Totals, _ header: UnsafeRawPointer, _ scale: Float) {
    unsafe totals.a = f.end(a, totals.a, header, 0, 2, scale)
    unsafe totals.b = f.end(b, totals.b, header, 1, 2, scale)
  }
}
