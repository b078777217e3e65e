internal import CKernelShims

// Products with a matrix that is mostly zeros, as one-hot rows are: nothing is done for the zeros. What is
// left is done in the order of `MatrixProduct`, so that the bits are the same where the other matrix is
// finite.

package enum SparseProduct {
  /// Whether a matrix is mostly zeros: of every eighth row, at most one element in eight is not 0.
  package static func isSparse(
    _ x: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int
  ) -> Bool {
    let limit = (((rows &+ 7) &>> 3) &* columns) &>> 3
    var count = 0
    var row = 0
    while row < rows {
      unsafe eachVector(x + row &* stride, columns) { _, places in
        count &+= places.nonzeroBitCount
      }
      if count > limit { return false }
      row &+= 8
    }
    return true
  }

  /// `C += A B`, with most of A 0, and B packed by `MatrixProduct`.
  package static func add(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ packed: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    var row = 0
    while row < rows {
      let sums = unsafe c + row &* stride
      unsafe eachNonzero(a + row &* aStride, depth) { p, x in
        var first = 0
        unsafe MatrixProduct.eachPanel(packed, depth: depth, columns: columns) { panel, vectors in
          var k = 0
          while k < vectors {
            let count = Int32(truncatingIfNeeded: min(16, columns &- first))
            let sum = unsafe rn_fma(
              x, load(panel, p &* vectors &+ k), rn_load_first(sums + first, count))
            unsafe rn_store_first(sum, sums + first, count)
            first &+= 16
            k &+= 1
          }
        }
      }
      row &+= 1
    }
  }

  /// How many floats ``addTransposed`` works with.
  package static func workCount(rows: Int, columns: Int) -> Int { workStride(rows) &* columns }

  /// `C += Aᵀ B`, with A of shape `[depth, rows]` and B `[depth, columns]`, most of which is 0.
  ///
  /// `work` has room for ``workCount(rows:columns:)`` floats: C's columns side by side.
  package static func addTransposed(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ b: UnsafePointer<Float>, bStride: Int, rows: Int, columns: Int, depth: Int,
    work: UnsafeMutablePointer<Float>
  ) {
    let workStride = workStride(rows)
    unsafe transpose(
      c, stride: stride, rows: rows, columns: columns, into: work, stride: workStride)
    var p = 0
    while p < depth {
      let values = unsafe a + p &* aStride
      unsafe eachNonzero(b + p &* bStride, columns) { j, y in
        let sums = unsafe work + j &* workStride
        var some = SomeUnits(size: rows)
        while some.advance() {
          unsafe some.store(rn_fma(some.load(values), y, some.load(sums)), sums)
        }
      }
      p &+= 1
    }
    unsafe transpose(
      work, stride: workStride, rows: columns, columns: rows, into: c, stride: stride)
  }

  /// An odd number of lines of the cache, so that a column does not crowd into a few of its sets.
  @inline(always)
  private static func workStride(_ rows: Int) -> Int { 16 &* (vectorCount(rows) | 1) }

  /// Writes the transpose of a matrix `[rows, columns]`.
  @inline(always)
  private static func transpose(
    _ x: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into y: UnsafeMutablePointer<Float>, stride yStride: Int
  ) {
    var row = 0
    while row < rows {
      let count = Int32(truncatingIfNeeded: min(16, rows &- row))
      let numbers = rn_multiples(Int32(truncatingIfNeeded: stride), count)
      var column = 0
      while column < columns {
        let some = unsafe rn_gather(x + (row &* stride &+ column), numbers)
        unsafe rn_store_first(some, y + (column &* yStride &+ row), count)
        column &+= 1
      }
      row &+= 16
    }
  }

  /// Calls `body` with the number of each element that is not 0, and the element in all places.
  @inline(always)
  private static func eachNonzero(
    _ x: UnsafePointer<Float>, _ count: Int, _ body: (Int, Vector) -> Void
  ) {
    unsafe eachVector(x, count) { first, places in
      var places = places
      while places != 0 {
        let p = first &+ places.trailingZeroBitCount
        unsafe body(p, rn_broadcast(x, Int64(truncatingIfNeeded: p)))
        places &= places &- 1
      }
    }
  }

  /// Calls `body` with the first number of each sixteen elements, and a bit for each that is not 0.
  @inline(always)
  private static func eachVector(
    _ x: UnsafePointer<Float>, _ count: Int, _ body: (Int, UInt32) -> Void
  ) {
    var first = 0
    while first < count {
      let some = unsafe rn_load_first(
        x + first, Int32(truncatingIfNeeded: min(16, count &- first)))
      body(first, rn_nonzero(some))
      first &+= 16
    }
  }
}
