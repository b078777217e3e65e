// The matrix product that training spends most of its time in, for Float.
//
// B is packed into panels of 8 columns, each panel [depth, 8], the last one padded with zeros. A
// tile of C, 4 rows by one panel, stays in registers (8 of the 16 of SSE) over the whole depth.

/// One panel's columns, side by side.
private typealias Lanes = SIMD8<Float>

extension Float {
  package static func packedCount(depth: Int, columns: Int) -> Int {
    (columns + 7) / 8 * 8 * depth
  }

  package static func pack(
    _ b: MatrixView<Float>, depth: Int, columns: Int, into packed: UnsafeMutablePointer<Float>
  ) {
    let rowStride = unsafe b.rowStride
    let columnStride = unsafe b.columnStride
    var target = unsafe packed
    var column = 0
    while column < columns {
      let source = unsafe b.elements + column &* columnStride
      let width = min(8, columns &- column)
      for p in 0..<depth {
        let row = unsafe source + p &* rowStride
        for j in 0..<width { unsafe target[j] = row[j &* columnStride] }
        for j in width..<8 { unsafe target[j] = 0 }
        unsafe target += 8
      }
      column &+= 8
    }
  }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: MatrixView<Float>,
    _ packed: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    let rowStride = unsafe a.rowStride
    let columnStride = unsafe a.columnStride
    var panel = unsafe UnsafeRawPointer(packed)
    var column = 0
    while column < columns {
      let width = min(8, columns &- column)
      var row = 0
      while row &+ 4 <= rows {
        var (sum0, sum1, sum2, sum3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var a0 = unsafe a.elements + row &* rowStride
        var weights = unsafe panel
        for _ in 0..<depth {
          let lanes = unsafe weights.loadUnaligned(as: Lanes.self)
          unsafe sum0 += Lanes(repeating: a0[0]) * lanes
          unsafe sum1 += Lanes(repeating: a0[rowStride]) * lanes
          unsafe sum2 += Lanes(repeating: a0[2 &* rowStride]) * lanes
          unsafe sum3 += Lanes(repeating: a0[3 &* rowStride]) * lanes
          unsafe a0 += columnStride
          unsafe weights += 32
        }
        let target = unsafe c + (row &* stride &+ column)
        unsafe add(sum0, to: target, width: width)
        unsafe add(sum1, to: target + stride, width: width)
        unsafe add(sum2, to: target + 2 &* stride, width: width)
        unsafe add(sum3, to: target + 3 &* stride, width: width)
        row &+= 4
      }
      while row < rows {
        var sum = Lanes.zero
        var a0 = unsafe a.elements + row &* rowStride
        var weights = unsafe panel
        for _ in 0..<depth {
          unsafe sum += Lanes(repeating: a0[0]) * weights.loadUnaligned(as: Lanes.self)
          unsafe a0 += columnStride
          unsafe weights += 32
        }
        unsafe add(sum, to: c + (row &* stride &+ column), width: width)
        row &+= 1
      }
      unsafe panel += 32 &* depth
      column &+= 8
    }
  }

  @inline(__always)
  private static func add(_ sum: Lanes, to target: UnsafeMutablePointer<Float>, width: Int) {
    if width == 8 {
      let raw = UnsafeMutableRawPointer(target)
      let lanes = unsafe raw.loadUnaligned(as: Lanes.self) + sum
      unsafe raw.storeBytes(of: lanes, as: Lanes.self)
    } else {
      for j in 0..<width { unsafe target[j] += sum[j] }
    }
  }
}
