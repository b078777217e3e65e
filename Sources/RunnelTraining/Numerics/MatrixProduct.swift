internal import Runnel

// Float's products, on the kernels of the best level that the CPU has. Packed matrices begin at the first
// line of the cache in their memory.

extension Float {
  /// Room to begin at a line of the cache.
  private static let lineCount = 16

  /// The first line of the cache in some memory.
  private static func line(_ memory: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    unsafe UnsafeMutableRawPointer(memory).alignedUp(toMultipleOf: 64)
      .assumingMemoryBound(to: Float.self)
  }

  package static func packedCount(depth: Int, columns: Int) -> Int {
    TrainingKernels.packedCount(depth: depth, columns: columns) + lineCount
  }

  package static func pack(
    _ b: MatrixView<Float>, depth: Int, columns: Int, into packed: UnsafeMutablePointer<Float>
  ) {
    unsafe TrainingKernels.best.pack(
      b.elements, rowStride: b.rowStride, columnStride: b.columnStride, depth: depth,
      columns: columns, into: line(packed))
  }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    packed: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    unsafe TrainingKernels.best.addProduct(
      c, stride: stride, a, aStride: aStride, line(packed), rows: rows, columns: columns,
      depth: depth)
  }

  package static func scratchCount(depth: Int, columns: Int) -> Int {
    max(
      packedCount(depth: depth, columns: columns),
      TrainingKernels.workCount(depth: depth, columns: columns) + lineCount)
  }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: MatrixView<Float>, _ b: MatrixView<Float>,
    rows: Int, columns: Int, depth: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    if unsafe a.columnStride == 1 {
      unsafe pack(b, depth: depth, columns: columns, into: scratch)
      unsafe addProduct(
        c, stride: stride, a.elements, aStride: a.rowStride, packed: scratch, rows: rows,
        columns: columns, depth: depth)
    } else {
      unsafe TrainingKernels.best.addTransposedProduct(
        c, stride: stride, a.elements, aStride: a.columnStride, b.elements,
        rowStride: b.rowStride, columnStride: b.columnStride, rows: rows, columns: columns,
        depth: depth, work: line(scratch))
    }
  }
}
