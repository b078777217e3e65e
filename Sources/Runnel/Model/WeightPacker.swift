/// Writes a model's weights as the kernels read them: panels of 16 rows, aligned to cache lines.
///
/// The layouts are described at the top of the kernels' files.
@safe struct WeightPacker {
  private var place: UnsafeMutableRawPointer
  private let end: UnsafeMutableRawPointer

  /// Packs to zeroed memory.
  init(_ memory: UnsafeMutableRawBufferPointer) {
    unsafe place = memory.baseAddress!
    unsafe end = memory.baseAddress! + memory.count
  }

  mutating func put<T: BitwiseCopyable>(_ value: T) {
    precondition(unsafe place < end, "weights are larger than what was made room for")
    unsafe place.storeBytes(of: value, as: T.self)
    unsafe place += MemoryLayout<T>.size
  }

  /// Goes on to the end of a cache line.
  mutating func fillLine() {
    unsafe place = place.alignedUp(toMultipleOf: 64)
  }

  /// Sixteen rows of a matrix, of which some may be missing: those are zeros.
  struct Block {
    let rows: [Int?]

    /// Block `index` of the rows of `gate`, of which each gate has `size`.
    init(gate: Int = 0, size: Int, index: Int) {
      rows = (16 * index..<16 * index + 16).map { $0 < size ? gate * size + $0 : nil }
    }

    /// The lower halves of up to two blocks.
    init(halves: ArraySlice<Block>) {
      let rows = halves.flatMap { $0.rows[..<8] }
      self.rows = rows + Array(repeating: nil, count: 16 - rows.count)
    }
  }

  /// A vector's 16 elements.
  mutating func put(_ vector: [Float], _ block: Block) {
    for row in block.rows { put(row.map { vector[$0] } ?? 0) }
  }

  /// One part of the panel of some blocks of rows: a header, and groups of columns.
  mutating func part(_ matrix: PackedMatrix, _ blocks: [Block]) {
    if matrix.format.headerBytes > 0 {
      for block in blocks {
        for row in block.rows { put(row.map { -128 * matrix.rowSum($0) } ?? Int32(0)) }
      }
      for block in blocks {
        for row in block.rows { put(row.map { matrix.scales[$0] } ?? 0) }
      }
    }
    let groups = Array(stride(from: 0, to: matrix.columns, by: matrix.format.columns))
    // Where even and odd groups have sums of their own, even ones come first.
    let kinds = blocks.count > 1 ? 2 : 1
    for first in 0..<kinds {
      for group in stride(from: first, to: groups.count, by: kinds) {
        for block in blocks {
          for row in block.rows { put(matrix, row, groups[group]) }
        }
      }
    }
  }

  /// The weights of one row, or zeros, in the group of columns that starts at `column`.
  private mutating func put(_ matrix: PackedMatrix, _ row: Int?, _ column: Int) {
    let columns = matrix.columns
    for column in column..<column + matrix.format.columns {
      let index = column < columns ? row.map { $0 * columns + column } : nil
      switch matrix.format {
      case .float32: put(index.map { matrix.values[$0] } ?? 0)
      case .float16: put(index.map { Float16(matrix.values[$0]) } ?? 0)
      case .bfloat16: put(index.map { matrix.values[$0].bfloat16 } ?? 0)
      case .int8, .narrowInt8: put(index.map { matrix.integers[$0] } ?? Int8(0))
      }
    }
  }
}

/// A matrix on its way into panels.
struct PackedMatrix {
  let format: PanelFormat
  let columns: Int
  /// The numbers, row-major, of a format of floats.
  let values: [Float]
  /// The numbers, row-major, of a format of integers.
  let integers: [Int8]
  /// What a row's integers are multiplied with.
  let scales: [Float]

  /// A tensor, with magnitudes below the kernels' threshold as zeros.
  init(_ tensor: TensorDescription, _ values: [Float], _ format: PanelFormat) {
    self.format = format
    columns = tensor.shape.count > 1 ? tensor.shape[1] : 1
    switch (format, tensor.storage) {
    case (.int8, .int8(let integers, let scales)), (.narrowInt8, .int8(let integers, let scales)):
      self.integers = integers
      self.scales = scales.map { 128 * $0 < 0x1p-60 ? 0 : $0 }
      self.values = []
    default:
      self.values = values
      integers = []
      scales = []
    }
  }

  /// The sum of a row's integers.
  func rowSum(_ row: Int) -> Int32 {
    integers[row * columns..<(row + 1) * columns].reduce(0) { $0 + Int32($1) }
  }
}
