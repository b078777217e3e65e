internal import Kernels
internal import KernelsV3
internal import KernelsV4

/// The kernels that training runs on, at a level.
package struct TrainingKernels: Sendable {
  /// Those of the best level that this CPU supports.
  package static let best = TrainingKernels(.best)

  package let level: InstructionLevel

  package init(_ level: InstructionLevel) { self.level = level }

  /// How many floats a packed matrix of shape `[depth, columns]` takes, at any level.
  package static func packedCount(depth: Int, columns: Int) -> Int {
    Kernels::MatrixProduct.packedCount(depth: depth, columns: columns)
  }

  /// How many floats ``addTransposedProduct(_:stride:_:aStride:_:rowStride:columnStride:rows:columns:depth:work:)``
  /// works with, at any level.
  package static func workCount(depth: Int, columns: Int) -> Int {
    Kernels::MatrixProduct.workCount(depth: depth, columns: columns)
  }

  /// Packs B, whose element at (p, j) is `b[p * rowStride + j * columnStride]`, for ``addProduct``.
  ///
  /// - Parameters:
  ///   - packed: Aligned to 64 bytes.
  package func pack(
    _ b: UnsafePointer<Float>, rowStride: Int, columnStride: Int, depth: Int, columns: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::MatrixProduct.pack(
        b, rowStride: rowStride, columnStride: columnStride, depth: depth, columns: columns,
        into: packed)
    case .v3:
      unsafe KernelsV3::MatrixProduct.pack(
        b, rowStride: rowStride, columnStride: columnStride, depth: depth, columns: columns,
        into: packed)
    case .v2:
      unsafe Kernels::MatrixProduct.pack(
        b, rowStride: rowStride, columnStride: columnStride, depth: depth, columns: columns,
        into: packed)
    }
  }

  /// `C += A B`, with B packed at this level.
  package func addProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ packed: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::MatrixProduct.add(
        c, stride: stride, a, aStride: aStride, packed, rows: rows, columns: columns, depth: depth)
    case .v3:
      unsafe KernelsV3::MatrixProduct.add(
        c, stride: stride, a, aStride: aStride, packed, rows: rows, columns: columns, depth: depth)
    case .v2:
      unsafe Kernels::MatrixProduct.add(
        c, stride: stride, a, aStride: aStride, packed, rows: rows, columns: columns, depth: depth)
    }
  }

  /// `C += Aᵀ B`, with A of shape `[depth, rows]`.
  ///
  /// - Parameters:
  ///   - work: Room for ``workCount(depth:columns:)`` floats, aligned to 64 bytes.
  package func addTransposedProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ b: UnsafePointer<Float>, rowStride: Int, columnStride: Int, rows: Int, columns: Int,
    depth: Int, work: UnsafeMutablePointer<Float>
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::MatrixProduct.addTransposed(
        c, stride: stride, a, aStride: aStride, b, rowStride: rowStride,
        columnStride: columnStride, rows: rows, columns: columns, depth: depth, work: work)
    case .v3:
      unsafe KernelsV3::MatrixProduct.addTransposed(
        c, stride: stride, a, aStride: aStride, b, rowStride: rowStride,
        columnStride: columnStride, rows: rows, columns: columns, depth: depth, work: work)
    case .v2:
      unsafe Kernels::MatrixProduct.addTransposed(
        c, stride: stride, a, aStride: aStride, b, rowStride: rowStride,
        columnStride: columnStride, rows: rows, columns: columns, depth: depth, work: work)
    }
  }

  // MARK: Mostly zeros

  /// Whether at most one in eight elements of a matrix is not 0; looks at every eighth row.
  package func isSparse(_ x: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int) -> Bool {
    switch level {
    case .v4:
      unsafe KernelsV4::SparseProduct.isSparse(x, stride: stride, rows: rows, columns: columns)
    case .v3:
      unsafe KernelsV3::SparseProduct.isSparse(x, stride: stride, rows: rows, columns: columns)
    case .v2:
      unsafe Kernels::SparseProduct.isSparse(x, stride: stride, rows: rows, columns: columns)
    }
  }

  /// ``addProduct`` for an A that is sparse: the same bits.
  package func addSparseProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ packed: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::SparseProduct.add(
        c, stride: stride, a, aStride: aStride, packed, rows: rows, columns: columns, depth: depth)
    case .v3:
      unsafe KernelsV3::SparseProduct.add(
        c, stride: stride, a, aStride: aStride, packed, rows: rows, columns: columns, depth: depth)
    case .v2:
      unsafe Kernels::SparseProduct.add(
        c, stride: stride, a, aStride: aStride, packed, rows: rows, columns: columns, depth: depth)
    }
  }

  /// How many floats the product ``addTransposedSparseProduct`` works with, at any level.
  package static func sparseWorkCount(rows: Int, columns: Int) -> Int {
    Kernels::SparseProduct.workCount(rows: rows, columns: columns)
  }

  /// ``addTransposedProduct`` for a B that is sparse: the same bits.
  package func addTransposedSparseProduct(
    _ c: UnsafeMutablePointer<Float>, stride: Int, _ a: UnsafePointer<Float>, aStride: Int,
    _ b: UnsafePointer<Float>, bStride: Int, rows: Int, columns: Int, depth: Int,
    work: UnsafeMutablePointer<Float>
  ) {
    switch level {
    case .v4:
      unsafe KernelsV4::SparseProduct.addTransposed(
        c, stride: stride, a, aStride: aStride, b, bStride: bStride, rows: rows, columns: columns,
        depth: depth, work: work)
    case .v3:
      unsafe KernelsV3::SparseProduct.addTransposed(
        c, stride: stride, a, aStride: aStride, b, bStride: bStride, rows: rows, columns: columns,
        depth: depth, work: work)
    case .v2:
      unsafe Kernels::SparseProduct.addTransposed(
        c, stride: stride, a, aStride: aStride, b, bStride: bStride, rows: rows, columns: columns,
        depth: depth, work: work)
    }
  }
}
