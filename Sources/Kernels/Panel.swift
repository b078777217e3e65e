internal import CKernelShims

// Panels: the weights of 16 units, or of 64 or 16 rows, in the order in which a product reads them,
// so that a pass over them is one forward stream. A panel is
//
//     the biases
//     for each part, of the input and then of the hidden state:
//       a header (the format's; nothing for floats)
//       for each even group of columns, the weights of the vectors of rows side by side
//       the same for each odd group
//
// Each row's sum is a lane of its own, whose order depends on sizes only: the bias and the even groups
// of the input's columns, then of the hidden state's, plus the odd groups of both. (Integers, and the
// candidate of a GRU, whose parts are not added, end one part before they begin with the other.) So
// all levels with FMA give the same bits.

/// The groups of columns of a product's two parts, of which the second may be missing.
struct PartSizes {
  let x, h: Int
}

/// How many groups of a part are even ones, which stand before the odd ones.
@inline(always)
func evenGroups(_ groups: Int) -> Int { (groups &+ 1) &>> 1 }

/// The two parts of a product, or one of them.
///
/// One loop runs over both, so its code exists once, and the CPU's prefetchers, which go by the
/// address of a load instruction, keep following the weights when the part changes: worth a quarter
/// of the time of a step whose weights come from L2.
@safe struct Parts {
  private(set) var current: Operand
  private let second: Operand
  private var left: Bool

  @inline(always)
  init(_ x: Operand, _ h: Operand) {
    current = x
    second = h
    left = true
  }

  @inline(always)
  init(_ only: Operand) {
    current = only
    second = only
    left = false
  }

  /// The groups of columns, before the first turn.
  @inline(always)
  var sizes: PartSizes { PartSizes(x: current.groups, h: left ? second.groups : 0) }

  /// Goes on to the second part, or says that there is none.
  @inline(always)
  mutating func turn() -> Bool {
    if !left { return false }
    current = second
    left = false
    return true
  }
}

/// The numbers of a cell's panels, upwards in one step and downwards in the next: what one step
/// reads last is what the next one reads first, out of a nearer cache.
struct Panels {
  private var following: Int
  private let step: Int
  private var left: Int

  @inline(always)
  init(count: Int, backward: UInt32) {
    left = count
    following = backward != 0 ? count &- 1 : 0
    step = backward != 0 ? -1 : 1
  }

  @inline(always)
  mutating func next() -> Int? {
    if left == 0 { return nil }
    left &-= 1
    following &+= step
    return following &- step
  }
}

/// The running sums of a block's vectors of rows.
protocol Sums {
  associatedtype Format: WeightFormat
  /// The sums as floats, before and after a part.
  associatedtype Totals: PartTotals
  /// A group's weights of the block.
  associatedtype Weights

  init(_ f: Format, _ totals: Totals, _ header: UnsafeRawPointer)
  init(zero f: Format)
  /// As many lanes as registers hold the sums of, if a sum is one vector.
  associatedtype Tile: Lanes where Tile.S == Self
  /// As many lanes as registers hold the sums of, if a sum is two vectors.
  associatedtype HalfTile: Lanes where HalfTile.S == Self
  /// The number of vectors of rows.
  func rows() -> Int
  func weights(_ f: Format, _ w: UnsafeRawPointer) -> Weights
  mutating func add(_ f: Format, _ w: Weights, _ x: Format.Word)
  mutating func merge(_ f: Format, _ other: Self)
  /// Sets aside, between the parts, the sums that do not go on, which even groups do first.
  mutating func setAside(
    _ f: Format, _ totals: inout Totals, _ header: UnsafeRawPointer, isOdd: Bool)
  func end(_ f: Format, _ totals: inout Totals, _ header: UnsafeRawPointer, _ scale: Float)
}

/// Sums as floats, with what happens between the parts.
protocol PartTotals {
  init(_ p: UnsafeRawPointer)
  func store(_ p: UnsafeMutableRawPointer)
  /// Whether there is a sum that does not go on from the input's part to the hidden state's.
  var isSplit: Bool { get }
  /// Sets that sum aside, and starts the one of the hidden state's part.
  mutating func endInput()
  /// Adds to the sum that has been set aside.
  mutating func addAside(_ sum: Vector)
  /// Stores that sum alone, where `store` does.
  func storeAside(_ p: UnsafeMutableRawPointer)
}

/// Totals all of whose sums go on.
protocol WholeTotals: PartTotals {}

extension WholeTotals {
  @inline(always) var isSplit: Bool { false }

  @inline(always)
  mutating func endInput() {}

  @inline(always)
  mutating func addAside(_ sum: Vector) {}

  @inline(always)
  func storeAside(_ p: UnsafeMutableRawPointer) {}
}

/// Adds the products of a panel.
///
/// - Parameters:
///   - odd: The sums of odd groups, which are added to the totals but for the input's phase.
///   - panel: The panel, from behind its biases.
///   - parts: What the phase multiplies.
@inline(always)
func addProduct<S: Sums>(
  _ odd: inout S, _ f: S.Format, _ totals: inout S.Totals, _ panel: UnsafeRawPointer,
  _ parts: Parts, _ phase: Phase
) {
  var parts = parts
  let rows = S(zero: f).rows()
  let stride = rows &* f.groupBytes
  var header = unsafe panel
  var w = unsafe panel + rows &* f.headerBytes
  var sums = unsafe S(f, totals, header)
  while true {
    let words = unsafe parts.current.words
    let groups = parts.current.groups
    let scale = parts.current.scale
    var k = 0
    #if WIDE_REGISTERS
      // A pointer of its own: two instructions would come of one whose address has an index.
      var v = unsafe rn_apart(w + evenGroups(groups) &* stride).unsafelyUnwrapped
      while k &+ 1 < groups {
        unsafe sums.add(f, sums.weights(f, w), f.word(words, k))
        unsafe odd.add(f, odd.weights(f, v), f.word(words, k &+ 1))
        unsafe w += stride
        unsafe v += stride
        k &+= 2
      }
      if k < groups { unsafe sums.add(f, sums.weights(f, w), f.word(words, k)) }
      unsafe w = v
    #else
      // Registers hold the sums of one kind of groups at a time.
      while k < groups {
        unsafe sums.add(f, sums.weights(f, w), f.word(words, k))
        unsafe w += stride
        k &+= 2
      }
      k = 1
      while k < groups {
        unsafe odd.add(f, odd.weights(f, w), f.word(words, k))
        unsafe w += stride
        k &+= 2
      }
    #endif
    let isLast = !parts.turn()
    if f.isExact || (isLast && phase != .input) {
      sums.merge(f, odd)
      unsafe sums.end(f, &totals, header, scale)
      if isLast && phase != .input { return }
      totals.endInput()
      if isLast { return }
      unsafe header = w
      unsafe w += rows &* f.headerBytes
      unsafe sums = S(f, totals, header)
      odd = S(zero: f)
    } else {
      unsafe sums.setAside(f, &totals, header, isOdd: false)
      unsafe odd.setAside(f, &totals, header, isOdd: true)
      if isLast {
        unsafe sums.end(f, &totals, header, scale)
        return
      }
    }
  }
}

/// Four vectors: of an LSTM's gates i f g o, or of 64 rows.
struct Four: WholeTotals {
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

  @inline(always)
  func store(_ p: UnsafeMutableRawPointer) {
    unsafe rn_store(a, p)
    unsafe rn_store(b, p + 64)
    unsafe rn_store(c, p + 128)
    unsafe rn_store(d, p + 192)
  }
}

struct FourSums<Format: WeightFormat>: GateSums {
  typealias Half = TwoSums<Format, LSTMHalf>
  typealias Tile = SixLanes<Self>
  typealias HalfTile = ThreeLanes<Self>
  var a, b, c, d: Format.Sum
  struct Weights { var a, b, c, d: Format.Weights }

  @inline(always)
  init(_ f: Format, _ totals: Four, _ header: UnsafeRawPointer) {
    unsafe a = f.begin(totals.a, header, 0)
    unsafe b = f.begin(totals.b, header, 1)
    unsafe c = f.begin(totals.c, header, 2)
    unsafe d = f.begin(totals.d, header, 3)
  }

  @inline(always)
  init(zero f: Format) {
    a = f.zero
    b = f.zero
    c = f.zero
    d = f.zero
  }

  @inline(always)
  func rows() -> Int { 4 }

  @inline(always)
  func weights(_ f: Format, _ w: UnsafeRawPointer) -> Weights {
    let size = f.groupBytes
    return unsafe Weights(
      a: f.weights(w), b: f.weights(w + size), c: f.weights(w + 2 &* size),
      d: f.weights(w + 3 &* size))
  }

  @inline(always)
  mutating func add(_ f: Format, _ w: Weights, _ x: Format.Word) {
    a = f.add(a, w.a, x)
    b = f.add(b, w.b, x)
    c = f.add(c, w.c, x)
    d = f.add(d, w.d, x)
  }

  @inline(always)
  mutating func merge(_ f: Format, _ other: Self) {
    a = f.merge(a, other.a)
    b = f.merge(b, other.b)
    c = f.merge(c, other.c)
    d = f.merge(d, other.d)
  }

  @inline(always)
  mutating func setAside(
    _ f: Format, _ totals: inout Four, _ header: UnsafeRawPointer, isOdd: Bool
  ) {}

  @inline(always)
  func end(_ f: Format, _ totals: inout Four, _ header: UnsafeRawPointer, _ scale: Float) {
    unsafe totals.a = f.end(a, totals.a, header, 0, 4, scale)
    unsafe totals.b = f.end(b, totals.b, header, 1, 4, scale)
    unsafe totals.c = f.end(c, totals.c, header, 2, 4, scale)
    unsafe totals.d = f.end(d, totals.d, header, 3, 4, scale)
  }
}
