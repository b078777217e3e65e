internal import CKernelShims

// C += A B, the product that training spends most of its time in.
//
// B is packed into panels of as many columns as a tile of C has, each panel [depth, columns]. A tile
// stays in registers while a stretch of the depth passes by, and begins with what stands in C: so each
// element of C is added to in the order of the depth, one product after the other, whatever the shapes
// of tiles, stretches and matrices are.
//
//     level     tile          registers
//     AVX-512   8 rows of 32  16 sums, 2 of B, 1 of A, of 32
//     AVX2      6 rows of 16  12 sums, 2 of B, 1 of A, of 16
//     SSE4      2 rows of 16   8 sums, 4 of B, 1 of A, of 16
//     NEON      4 rows of 16  16 sums, 4 of B, 1 of A, of 32

/// How much of the depth tiles stay in registers for: a stretch of a panel, 32 KB, is in L1 for the rows
/// that follow.
@inline(always) private var stretch: Int { 256 }

/// How many rows of A pass by a panel before the next panel: their stretch of A, 32 KB or less, comes from
/// the nearest caches.
@inline(always) private var bandRows: Int { 32 }

/// How many rows of a transposed A are packed side by side: a line of the cache.
@inline(always) private var sheaf: Int { 16 }

/// The floats in a row of C's tile, of B's panel.
#if WIDE_REGISTERS
  private typealias Columns = TwoVectors
#else
  private typealias Columns = OneVector
#endif

/// Products of matrices of floats for training; none of the pointers need be aligned but the packed ones.
package enum MatrixProduct {
  /// How many floats a packed B takes.
  package static func packedCount(depth: Int, columns: Int) -> Int {
    16 &* vectorCount(columns) &* depth
  }

  /// How many floats ``addTransposed`` works with.
  package static func workCount(depth: Int, columns: Int) -> Int {
    packedCount(depth: min(depth, stretch), columns: columns) &+ sheaf &* stretch
  }

  /// Packs B, whose element at (p, j) is `b[p * rowStride + j * columnStride]`; one of the strides is 1.
  ///
  /// `packed` is aligned to 64 bytes.
  package static func pack(
    _ b: UnsafePointer<Float>, rowStride: Int, columnStride: Int, depth: Int, columns: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    var panel = UnsafeMutableRawPointer(packed)
    var first = 0
    while first < columns {
      let vectors = panelVectors(columns &- first)
      var vector = 0
      while vector < vectors {
        let j = first &+ 16 &* vector
        let count = Int32(truncatingIfNeeded: min(16, columns &- j))
        let numbers = rn_multiples(Int32(truncatingIfNeeded: columnStride), count)
        var source = unsafe b + j &* columnStride
        var p = 0
        while p < depth {
          let row =
            columnStride == 1
            ? unsafe rn_load_first(source, count) : unsafe rn_gather(source, numbers)
          unsafe store(row, panel, p &* vectors &+ vector)
          unsafe source += rowStride
          p &+= 1
        }
        vector &+= 1
      }
      unsafe panel += vectors &* depth &* vectorBytes
      first &+= 16 &* vectors
    }
  }

  /// `C += A B` with rows of A that are `aStride` apart, and a packed B.
  package static func add(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ packed: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    var p = 0
    while p < depth {
      let length = min(stretch, depth &- p)
      var row = 0
      while row < rows {
        let some = unsafe Band(
          a: PlainRows(a + (row &* aStride &+ p), stride: aStride), c: c + row &* stride,
          stride: stride, count: min(bandRows, rows &- row))
        unsafe addPanels(some, packed, from: p, length: length, depth: depth, columns)
        row &+= bandRows
      }
      p &+= stretch
    }
  }

  /// `C += Aᵀ B` with A of shape `[depth, rows]`, and B as ``pack`` takes it.
  ///
  /// `work` has room for ``workCount(depth:columns:)`` floats and is aligned to 64 bytes.
  package static func addTransposed(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ b: UnsafePointer<Float>, rowStride: Int, columnStride: Int, rows: Int, columns: Int,
    depth: Int, work: UnsafeMutablePointer<Float>
  ) {
    let packed = unsafe work + sheaf &* stretch
    var p = 0
    while p < depth {
      let length = min(stretch, depth &- p)
      unsafe pack(
        b + p &* rowStride, rowStride: rowStride, columnStride: columnStride, depth: length,
        columns: columns, into: packed)
      var row = 0
      while row < rows {
        let count = min(sheaf, rows &- row)
        var source = unsafe a + (p &* aStride &+ row)
        var k = 0
        while k < length {
          unsafe store(
            rn_load_first(source, Int32(truncatingIfNeeded: count)), UnsafeMutableRawPointer(work),
            k)
          unsafe source += aStride
          k &+= 1
        }
        let some = unsafe Band(
          a: SheafRows(work), c: c + row &* stride, stride: stride, count: count)
        unsafe addPanels(some, packed, from: 0, length: length, depth: length, columns)
        row &+= sheaf
      }
      p &+= stretch
    }
  }

  /// Calls `body` with each panel of a packed matrix, and how many vectors a row of it has.
  @inline(always)
  static func eachPanel(
    _ packed: UnsafePointer<Float>, depth: Int, columns: Int,
    _ body: (UnsafeRawPointer, Int) -> Void
  ) {
    var panel = unsafe UnsafeRawPointer(packed)
    var first = 0
    while first < columns {
      let vectors = panelVectors(columns &- first)
      unsafe body(panel, vectors)
      unsafe panel += vectors &* depth &* vectorBytes
      first &+= 16 &* vectors
    }
  }

  /// How many vectors a panel's rows have that begins so many columns before the end.
  @inline(always)
  private static func panelVectors(_ columns: Int) -> Int {
    min(Columns.count(), vectorCount(columns))
  }

  /// Adds a stretch of the depth to some rows of C.
  @inline(always)
  private static func addPanels<A: LeftOperand>(
    _ band: Band<A>, _ packed: UnsafePointer<Float>, from p: Int, length: Int, depth: Int,
    _ columns: Int
  ) {
    var first = 0
    unsafe eachPanel(packed, depth: depth, columns: columns) { panel, vectors in
      let start = unsafe panel + p &* vectors &* vectorBytes
      if vectors == Columns.count() {
        unsafe band.add(Columns.self, start, length, first, columns &- first)
      } else {
        unsafe band.add(OneVector.self, start, length, first, columns &- first)
      }
      first &+= 16 &* vectors
    }
  }
}

/// Some rows of A and of C.
@safe private struct Band<A: LeftOperand> {
  let a: A
  let c: UnsafeMutablePointer<Float>
  let stride: Int
  let count: Int

  @inline(always)
  init(a: A, c: UnsafeMutablePointer<Float>, stride: Int, count: Int) {
    self.a = a
    unsafe self.c = c
    self.stride = stride
    self.count = count
  }

  /// Adds the products with a panel, whose first column is C's column `first`, with `columns` from there
  /// on.
  @inline(always)
  func add<C: TileColumns>(
    _: C.Type, _ panel: UnsafeRawPointer, _ length: Int, _ first: Int, _ columns: Int
  ) {
    let place = unsafe TilePlace(c: c + first, stride: stride, columns: columns)
    var row = 0
    #if WIDE_REGISTERS
      row = unsafe add(EightRows<C>.self, panel, length, place, row, count)
      row = unsafe add(FourRows<C>.self, panel, length, place, row, count)
    #elseif AVX
      // Eight rows are two tiles of four, and not one of six and one of two.
      let sixes = count % 6 == 2 ? count &- 8 : count
      row = unsafe add(SixRows<C>.self, panel, length, place, row, sixes)
      row = unsafe add(FourRows<C>.self, panel, length, place, row, count)
    #elseif !arch(x86_64)
      row = unsafe add(FourRows<C>.self, panel, length, place, row, count)
    #endif
    row = unsafe add(TwoRows<C>.self, panel, length, place, row, count)
    _ = unsafe add(OneRow<C>.self, panel, length, place, row, count)
  }

  /// Adds as many tiles as there are whole ones before `end`, and gives the row behind them.
  @inline(always)
  private func add<T: Tile>(
    _: T.Type, _ panel: UnsafeRawPointer, _ length: Int, _ first: TilePlace, _ start: Int,
    _ end: Int
  ) -> Int {
    var row = start
    while row &+ T.count() <= end {
      let place = first.advanced(by: row)
      let a = self.a.advanced(by: row)
      var tile = T.zero
      tile.load(place)
      var b = unsafe panel
      var k = 0
      while k < length {
        unsafe tile.add(a, k, T.Columns(panel: b))
        unsafe b += T.Columns.count() &* vectorBytes
        k &+= 1
      }
      tile.store(place)
      row &+= T.count()
    }
    return row
  }
}

// MARK: A

/// Some rows of A.
private protocol LeftOperand {
  /// Element (row, k) in all places.
  func value(_ row: Int, _ k: Int) -> Vector
  func advanced(by rows: Int) -> Self
}

@safe private struct PlainRows: LeftOperand {
  private let elements: UnsafePointer<Float>
  private let stride: Int

  @inline(always)
  init(_ elements: UnsafePointer<Float>, stride: Int) {
    unsafe self.elements = elements
    self.stride = stride
  }

  @inline(always)
  func value(_ row: Int, _ k: Int) -> Vector {
    unsafe rn_broadcast(elements + row &* stride, Int64(truncatingIfNeeded: k))
  }

  @inline(always)
  func advanced(by rows: Int) -> PlainRows {
    unsafe PlainRows(elements + rows &* stride, stride: stride)
  }
}

/// Packed rows: for each step of the depth, the sixteen of a sheaf.
@safe private struct SheafRows: LeftOperand {
  private let elements: UnsafePointer<Float>

  @inline(always)
  init(_ elements: UnsafePointer<Float>) { unsafe self.elements = elements }

  @inline(always)
  func value(_ row: Int, _ k: Int) -> Vector {
    unsafe rn_broadcast(elements + row, Int64(truncatingIfNeeded: sheaf &* k))
  }

  @inline(always)
  func advanced(by rows: Int) -> SheafRows { unsafe SheafRows(elements + rows) }
}

// MARK: Tiles

/// Where a tile of C stands.
@safe private struct TilePlace {
  let c: UnsafeMutablePointer<Float>
  let stride: Int
  /// How many columns C has from here on.
  let columns: Int

  @inline(always)
  init(c: UnsafeMutablePointer<Float>, stride: Int, columns: Int) {
    unsafe self.c = c
    self.stride = stride
    self.columns = columns
  }

  @inline(always)
  func advanced(by rows: Int) -> TilePlace {
    unsafe TilePlace(c: c + rows &* stride, stride: stride, columns: columns)
  }

  @inline(always)
  func width(_ vector: Int) -> Int32 {
    Int32(truncatingIfNeeded: min(16, columns &- 16 &* vector))
  }

  @inline(always)
  func load(_ vector: Int) -> Vector { unsafe rn_load_first(c + 16 &* vector, width(vector)) }

  @inline(always)
  func store(_ value: Vector, _ vector: Int) {
    unsafe rn_store_first(value, c + 16 &* vector, width(vector))
  }
}

/// A row of a tile, or of a panel.
private protocol TileColumns {
  static var zero: Self { get }
  init(panel: UnsafeRawPointer)
  static func count() -> Int
  mutating func load(_ place: TilePlace)
  mutating func add(_ a: Vector, _ b: Self)
  func store(_ place: TilePlace)
}

private struct OneVector: TileColumns {
  private var a: Vector

  @inline(always)
  static var zero: OneVector { OneVector(a: .zero) }

  @inline(always)
  private init(a: Vector) { self.a = a }

  @inline(always)
  init(panel: UnsafeRawPointer) { unsafe a = rn_load(panel) }

  @inline(always)
  static func count() -> Int { 1 }

  @inline(always)
  mutating func load(_ place: TilePlace) { a = place.load(0) }

  @inline(always)
  mutating func add(_ x: Vector, _ b: OneVector) { a = rn_fma(x, b.a, a) }

  @inline(always)
  func store(_ place: TilePlace) { place.store(a, 0) }
}

private struct TwoVectors: TileColumns {
  private var a, b: Vector

  @inline(always)
  static var zero: TwoVectors { TwoVectors(a: .zero, b: .zero) }

  @inline(always)
  private init(a: Vector, b: Vector) {
    self.a = a
    self.b = b
  }

  @inline(always)
  init(panel: UnsafeRawPointer) {
    unsafe a = rn_load(panel)
    unsafe b = rn_load(panel + vectorBytes)
  }

  @inline(always)
  static func count() -> Int { 2 }

  @inline(always)
  mutating func load(_ place: TilePlace) {
    a = place.load(0)
    b = place.load(1)
  }

  @inline(always)
  mutating func add(_ x: Vector, _ other: TwoVectors) {
    a = rn_fma(x, other.a, a)
    b = rn_fma(x, other.b, b)
  }

  @inline(always)
  func store(_ place: TilePlace) {
    place.store(a, 0)
    place.store(b, 1)
  }
}

/// Sums of some rows and columns of C.
private protocol Tile {
  associatedtype Columns: TileColumns
  static var zero: Self { get }
  static func count() -> Int
  mutating func load(_ place: TilePlace)
  /// Adds step k of the depth: that of A's rows times that of B.
  mutating func add<A: LeftOperand>(_ a: A, _ k: Int, _ b: Columns)
  func store(_ place: TilePlace)
}

private struct OneRow<Columns: TileColumns>: Tile {
  private var sums: Columns

  @inline(always)
  static var zero: OneRow { OneRow(sums: .zero) }

  @inline(always)
  private init(sums: Columns) { self.sums = sums }

  @inline(always)
  static func count() -> Int { 1 }

  @inline(always)
  mutating func load(_ place: TilePlace) { sums.load(place) }

  @inline(always)
  mutating func add<A: LeftOperand>(_ a: A, _ k: Int, _ b: Columns) { sums.add(a.value(0, k), b) }

  @inline(always)
  func store(_ place: TilePlace) { sums.store(place) }
}

/// The rows of two tiles.
private struct Stack<Upper: Tile, Lower: Tile>: Tile where Upper.Columns == Lower.Columns {
  typealias Columns = Upper.Columns
  private var upper: Upper
  private var lower: Lower

  @inline(always)
  static var zero: Stack { Stack(upper: .zero, lower: .zero) }

  @inline(always)
  private init(upper: Upper, lower: Lower) {
    self.upper = upper
    self.lower = lower
  }

  @inline(always)
  static func count() -> Int { Upper.count() &+ Lower.count() }

  @inline(always)
  mutating func load(_ place: TilePlace) {
    upper.load(place)
    lower.load(place.advanced(by: Upper.count()))
  }

  @inline(always)
  mutating func add<A: LeftOperand>(_ a: A, _ k: Int, _ b: Columns) {
    upper.add(a, k, b)
    lower.add(a.advanced(by: Upper.count()), k, b)
  }

  @inline(always)
  func store(_ place: TilePlace) {
    upper.store(place)
    lower.store(place.advanced(by: Upper.count()))
  }
}

private typealias TwoRows<C: TileColumns> = Stack<OneRow<C>, OneRow<C>>
private typealias FourRows<C: TileColumns> = Stack<TwoRows<C>, TwoRows<C>>
private typealias SixRows<C: TileColumns> = Stack<FourRows<C>, TwoRows<C>>
private typealias EightRows<C: TileColumns> = Stack<FourRows<C>, FourRows<C>>
