internal import CKernelShims

/// `W x + R h + b` for matrices of any number of rows: dense layers, vanilla RNNs.
///
/// Panels of four blocks of 16 rows (4 vectors a column, even and odd groups apart), then single
/// blocks (1 vector a column, four groups apart).
enum Rows {
  /// Bytes of a panel of some blocks of 16 rows.
  @inline(always)
  static func panelBytes<F: WeightFormat>(_ f: F, blocks: Int, _ parts: Parts) -> Int {
    var parts = parts
    var bytes = vectorBytes
    repeat {
      bytes &+= f.headerBytes &+ parts.current.groups &* f.groupBytes
    } while parts.turn()
    return wholeLines(blocks &* bytes)
  }

  /// Bytes of the panels of `blocks` blocks of 16 rows.
  @inline(always)
  static func byteCount<F: WeightFormat>(_ f: F, blocks: Int, _ parts: Parts) -> Int {
    (blocks &>> 2) &* panelBytes(f, blocks: 4, parts) &+ (blocks & 3)
      &* panelBytes(f, blocks: 1, parts)
  }

  /// Writes the sums of `blocks` blocks of 16 rows to `sums`.
  @inline(always)
  static func product<F: WeightFormat>(
    _ f: F, _ weights: UnsafeRawPointer, blocks: Int, _ parts: Parts,
    _ sums: UnsafeMutableRawPointer
  ) {
    let (fourBytes, oneBytes) = (
      panelBytes(f, blocks: 4, parts), panelBytes(f, blocks: 1, parts)
    )
    var w = unsafe weights
    var block = 0
    while block &+ 3 < blocks {
      var rows = unsafe Four(w)
      unsafe addProduct(FourSums<F>(zero: f), f, &rows, w + 256, split: true, parts)
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
    var w = unsafe panel + vectorBytes
    repeat {
      let header = unsafe w
      unsafe w += f.headerBytes
      var (a, b, c, d) = unsafe (f.begin(total, header, 0), f.zero, f.zero, f.zero)
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
      let sum = f.merge(f.merge(a, b), f.merge(c, d))
      unsafe total = f.end(sum, total, header, 0, 1, parts.current.scale)
    } while parts.turn()
    return total
  }
}
