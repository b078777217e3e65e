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

  // Rows that are one-hot, or are 0 but for the last frames, are worth the look.
  package static func addProductOfInput(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    packed: UnsafeMutablePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    let kernels = TrainingKernels.best
    if unsafe kernels.isSparse(a, stride: aStride, rows: rows, columns: depth) {
      unsafe kernels.addSparseProduct(
        c, stride: stride, a, aStride: aStride, line(packed), rows: rows, columns: columns,
        depth: depth)
    } else {
      unsafe addProduct(
        c, stride: stride, a, aStride: aStride, packed: packed, rows: rows, columns: columns,
        depth: depth)
    }
  }

  package static func scratchCount(rows: Int, columns: Int, depth: Int) -> Int {
    max(
      packedCount(depth: depth, columns: columns),
      TrainingKernels.workCount(depth: depth, columns: columns) + lineCount,
      TrainingKernels.sparseWorkCount(rows: rows, columns: columns))
  }

  package static func addProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: MatrixView<Float>, _ b: MatrixView<Float>,
    rows: Int, columns: Int, depth: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    let kernels = TrainingKernels.best
    if unsafe a.columnStride == 1 {
      unsafe pack(b, depth: depth, columns: columns, into: scratch)
      unsafe addProductOfInput(
        c, stride: stride, a.elements, aStride: a.rowStride, packed: scratch, rows: rows,
        columns: columns, depth: depth)
    } else if unsafe b.columnStride == 1
      && kernels.isSparse(b.elements, stride: b.rowStride, rows: depth, columns: columns)
    {
      unsafe kernels.addTransposedSparseProduct(
        c, stride: stride, a.elements, aStride: a.columnStride, b.elements, bStride: b.rowStride,
        rows: rows, columns: columns, depth: depth, work: scratch)
    } else {
      unsafe kernels.addTransposedProduct(
        c, stride: stride, a.elements, aStride: a.columnStride, b.elements,
        rowStride: b.rowStride, columnStride: b.columnStride, rows: rows, columns: columns,
        depth: depth, work: line(scratch))
    }
  }
}
