internal import CKernelShims

/// `W x + R h + b` for matrices of any number of rows: dense layers, vanilla RNNs.
///
/// Panels of four blocks of 16 rows (4 vectors a column, even and odd groups apart), then single
/// blocks (1 vector a column, four groups apart).
enum Rows {
  /// Bytes of a panel of some blocks of 16 rows.
  @inline(always)
  static func panelBytes<F: WeightFormat>(_ f: F, blocks: Int, _ sizes: PartSizes) -> Int {
    let parts = sizes.h > 0 ? 2 : 1
    let bytes = vectorBytes &+ parts &* f.headerBytes &+ (sizes.x &+ sizes.h) &* f.groupBytes
    return wholeLines(blocks &* bytes)
  }

  /// Bytes of the panels of `blocks` blocks of 16 rows.
  @inline(always)
  static func byteCount<F: WeightFormat>(_ f: F, blocks: Int, _ sizes: PartSizes) -> Int {
    (blocks &>> 2) &* panelBytes(f, blocks: 4, sizes) &+ (blocks & 3)
      &* panelBytes(f, blocks: 1, sizes)
  }

  /// Writes the sums of `blocks` blocks of 16 rows to `sums`.
  @inline(always)
  static func product<F: WeightFormat>(
    _ f: F, _ weights: UnsafeRawPointer, blocks: Int, _ parts: Parts,
    _ sums: UnsafeMutableRawPointer
  ) {
    let (fourBytes, oneBytes) = (
      panelBytes(f, blocks: 4, parts.sizes), panelBytes(f, blocks: 1, parts.sizes)
    )
    var w = unsafe weights
    var block = 0
    while block &+ 3 < blocks {
      var rows = unsafe Four(w)
      var odd = FourSums(zero: f)
      unsafe addProduct(&odd, f, &rows, w + 256, parts, .step)
      unsafe w += fourBytes
      unsafe store(flush(rows.a), sums, block)
      unsafe store(flush(rows.b), sums, block &+ 1)
      unsafe store(flush(rows.c), sums, block &+ 2)
      unsafe store(flush(rows.d), sums, block &+ 3)
      block &+= 4
    }
    while block < blocks {
      unsafe store(flush(single(f, w, parts)), sums, block)
      unsafe w += oneBytes
      block &+= 1
    }
  }

  /// The sums of one block.
  @inline(always)
  static func single<F: WeightFormat>(
    _ f: F, _ panel: UnsafeRawPointer, _ parts: Parts
  ) -> Vector {
    var parts = parts
    var total = unsafe load(panel)
    var header = unsafe panel + vectorBytes
    var w = unsafe header + f.headerBytes
    var (a, b, c, d) = unsafe (f.begin(total, header, 0), f.zero, f.zero, f.zero)
    while true {
      let scale = parts.current.scale
      let words = unsafe parts.current.words
      let groups = parts.current.groups
      let size = f.groupBytes
      var k = 0
      while k &+ 3 < groups {
        unsafe a = f.add(a, f.weights(w), f.word(words, k))
        unsafe b = f.add(b, f.weights(w + size), f.word(words, k &+ 1))
        unsafe c = f.add(c, f.weights(w + 2 &* size), f.word(words, k &+ 2))
        unsafe d = f.add(d, f.weights(w + 3 &* size), f.word(words, k &+ 3))
        unsafe w += 4 &* size
        k &+= 4
      }
      while k < groups {
        unsafe a = f.add(a, f.weights(w), f.word(words, k))
        unsafe w += size
        k &+= 1
      }
      let isLast = !parts.turn()
      if isLast || f.isExact {
        let sum = f.merge(f.merge(a, b), f.merge(c, d))
        unsafe total = f.end(sum, total, header, 0, 1, scale)
        if isLast { return total }
        unsafe header = w
        unsafe w += f.headerBytes
        unsafe (a, b, c, d) = (f.begin(total, header, 0), f.zero, f.zero, f.zero)
      }
    }
  }
}

/// Where lanes put the sums of rows.
enum RowTarget {
  /// In the place of the next hidden state, or of a layer's output.
  case next
  /// In the scratch, so many bytes behind its start.
  case scratch(Int)
  /// Where a lane's block would be: so many rows, aligned or not, and nothing behind them.
  case block(Int)
}

extension Rows {
  /// Writes the sums of `blocks` blocks of 16 rows of several lanes, whose operands have been made.
  @inline(always)
  static func product<F: WeightFormat>(
    _ f: F, _ weights: UnsafeRawPointer, blocks: Int, _ sizes: PartSizes, _ lanes: LaneContext,
    _ count: Int, _ target: RowTarget
  ) {
    let (fourBytes, oneBytes) = (
      panelBytes(f, blocks: 4, sizes), panelBytes(f, blocks: 1, sizes)
    )
    var panel = unsafe weights
    var block = 0
    while block &+ 3 < blocks {
      var first = 0
      while first < count {
        let batch = lanes.advanced(by: first)
        let size = min(RN_BATCH, count &- first)
        unsafe addProducts(
          FourSums(zero: f), f, panel, sizes, batch, size, .step)
        var lane = 0
        while lane < size {
          let one = batch.lane(lane)
          let rows = unsafe Four(UnsafeRawPointer(one.work))
          put(rows.a, one, target, block)
          put(rows.b, one, target, block &+ 1)
          put(rows.c, one, target, block &+ 2)
          put(rows.d, one, target, block &+ 3)
          lane &+= 1
        }
        first &+= size
      }
      unsafe panel += fourBytes
      block &+= 4
    }
    while block < blocks {
      var lane = 0
      while lane < count {
        let one = lanes.advanced(by: lane)
        unsafe put(single(f, panel, one.parts(sizes, .step)), one, target, block)
        lane &+= 1
      }
      unsafe panel += oneBytes
      block &+= 1
    }
  }

  @inline(always)
  private static func put(
    _ sum: Vector, _ lane: LaneContext, _ target: RowTarget, _ block: Int
  ) {
    switch target {
    case .next: unsafe store(flush(sum), lane.cell.nextH, block)
    case .scratch(let bytes): unsafe store(flush(sum), lane.scratch + bytes, block)
    case .block(let rows):
      let first = 16 &* block
      unsafe rn_store_first(
        flush(sum), lane.block.assumingMemoryBound(to: Float.self) + first,
        Int32(truncatingIfNeeded: min(16, rows &- first)))
    }
  }
}
