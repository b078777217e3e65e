import Runnel
import Testing

/// The products of each level that this CPU supports, bit for bit.
@Suite struct ProductTests {
  static let levels = InstructionLevel.allCases.filter { $0 <= .best }
  /// Rows, columns and depth: whole tiles, panels and stretches, and what is left of them.
  static let shapes = [(1, 1, 1), (8, 32, 4), (14, 16, 7), (37, 65, 9), (16, 50, 300), (3, 5, 600)]

  /// Numbers whose products and sums are rounded.
  private func numbers(_ count: Int, seed: UInt32) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(Int32(bitPattern: state)) * 0x1p-31
    }
  }

  /// `C + A B`, each element added to in the order of the depth.
  private func expected(
    _ c: [Float], _ a: [Float], _ b: [Float], _ shape: (rows: Int, columns: Int, depth: Int),
    fused: Bool
  ) -> [Float] {
    var c = c
    let stride = c.count / shape.rows
    for i in 0..<shape.rows {
      for j in 0..<shape.columns {
        for p in 0..<shape.depth {
          let (x, y) = (a[i * shape.depth + p], b[p * shape.columns + j])
          let sum = c[i * stride + j]
          c[i * stride + j] = fused ? sum.addingProduct(x, y) : sum + x * y
        }
      }
    }
    return c
  }

  private func transposed(_ a: [Float], rows: Int) -> [Float] {
    let columns = a.count / rows
    return (0..<a.count).map { a[$0 % rows * columns + $0 / rows] }
  }

  /// Memory that begins at a line of the cache.
  private func withLines(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
    defer { unsafe memory.deallocate() }
    unsafe body(memory.initializeMemory(as: Float.self, repeating: .nan, count: count))
  }

  @Test(arguments: levels, shapes)
  func `Each element has its products added in the order of the depth`(
    level: InstructionLevel, shape: (Int, Int, Int)
  ) {
    let (rows, columns, depth) = shape
    let kernels = TrainingKernels(level)
    let (a, b) = (numbers(rows * depth, seed: 1), numbers(depth * columns, seed: 2))
    // One column more than the product has, which must stay as it is.
    let c = numbers(rows * (columns + 1), seed: 3)
    let right = expected(c, a, b, shape, fused: level > .v2)

    var product = c
    unsafe withLines(TrainingKernels.packedCount(depth: depth, columns: columns)) { packed in
      unsafe kernels.pack(
        b, rowStride: columns, columnStride: 1, depth: depth, columns: columns, into: packed)
      unsafe kernels.addProduct(
        &product, stride: columns + 1, a, aStride: depth, packed, rows: rows, columns: columns,
        depth: depth)
    }
    #expect(product == right)

    product = c
    unsafe withLines(TrainingKernels.workCount(depth: depth, columns: columns)) { work in
      unsafe kernels.addTransposedProduct(
        &product, stride: columns + 1, transposed(a, rows: rows), aStride: rows,
        transposed(b, rows: depth), rowStride: 1, columnStride: depth, rows: rows,
        columns: columns, depth: depth, work: work)
    }
    #expect(product == right)
  }

  @Test func `Another order gives other bits`() {
    let shape = (1, 1, 600)
    let (a, b) = (numbers(600, seed: 1), numbers(600, seed: 2))
    #expect(
      expected([0], a, b, shape, fused: true)
        != expected([0], a.reversed(), b.reversed(), shape, fused: true))
  }
}

/// Products with a matrix that is mostly zeros.
@Suite struct SparseProductTests {
  private static let (rows, columns, depth) = (5, 50, 37)

  /// A matrix with a few elements in each row.
  private func sparse(_ probe: inout KernelProbe, rows: Int, columns: Int) -> [Float] {
    let numbers = probe.numbers(rows * columns)
    return numbers.enumerated().map { ($0 * 7 + $0 / columns) % 13 == 0 ? $1 : 0 }
  }

  @Test(arguments: KernelProbe.levels)
  func `Zeros that are left out do not change the bits`(level: InstructionLevel) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    let (rows, columns, depth) = (Self.rows, Self.columns, Self.depth)
    let a = sparse(&probe, rows: rows, columns: depth)
    let arrays = [a, probe.numbers(depth * columns), probe.numbers(rows * columns)]
    let packed = unsafe UnsafeMutableRawPointer.allocate(
      byteCount: 4 * TrainingKernels.packedCount(depth: depth, columns: columns), alignment: 64
    ).assumingMemoryBound(to: Float.self)
    defer { unsafe packed.deallocate() }
    let products = [true, false].map { isSparse in
      unsafe KernelProbe.run(arrays, as: Float.self) {
        unsafe kernels.pack(
          $0[1], rowStride: columns, columnStride: 1, depth: depth, columns: columns, into: packed)
        if isSparse {
          unsafe kernels.addSparseProduct(
            $0[2], stride: columns, $0[0], aStride: depth, packed, rows: rows, columns: columns,
            depth: depth)
        } else {
          unsafe kernels.addProduct(
            $0[2], stride: columns, $0[0], aStride: depth, packed, rows: rows, columns: columns,
            depth: depth)
        }
      }
    }
    #expect(products[0] == products[1])
    #expect(products[0][2] != arrays[2])
  }

  @Test(arguments: KernelProbe.levels)
  func `Nor do they where the other operand is transposed`(level: InstructionLevel) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    let (rows, columns, depth) = (Self.rows, Self.columns, Self.depth)
    let b = sparse(&probe, rows: depth, columns: columns)
    let arrays = [probe.numbers(depth * rows), b, probe.numbers(rows * columns)]
    let count = max(
      TrainingKernels.workCount(depth: depth, columns: columns),
      TrainingKernels.sparseWorkCount(rows: rows, columns: columns))
    let work = unsafe UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
      .assumingMemoryBound(to: Float.self)
    defer { unsafe work.deallocate() }
    let products = [true, false].map { isSparse in
      unsafe KernelProbe.run(arrays, as: Float.self) {
        if isSparse {
          unsafe kernels.addTransposedSparseProduct(
            $0[2], stride: columns, $0[0], aStride: rows, $0[1], bStride: columns, rows: rows,
            columns: columns, depth: depth, work: work)
        } else {
          unsafe kernels.addTransposedProduct(
            $0[2], stride: columns, $0[0], aStride: rows, $0[1], rowStride: columns,
            columnStride: 1, rows: rows, columns: columns, depth: depth, work: work)
        }
      }
    }
    #expect(products[0] == products[1])
    #expect(products[0][2] != arrays[2])
  }

  @Test func `One-hot rows are sparse, and rows of numbers are not`() {
    for level in KernelProbe.levels {
      let kernels = TrainingKernels(level)
      let oneHot = (0..<(4 * 20)).map { $0 % 21 == 0 ? Float(1) : 0 }
      #expect(unsafe kernels.isSparse(oneHot, stride: 20, rows: 4, columns: 20))
      let numbers = [Float](repeating: 0.5, count: 80)
      #expect(unsafe !kernels.isSparse(numbers, stride: 20, rows: 4, columns: 20))
    }
  }
}
