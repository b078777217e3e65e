internal import CKernelShims

/// How an operation's matrices are packed; see the kernels' `WeightFormat`.
enum PanelFormat: Hashable {
  case float32, float16, bfloat16, int8, narrowInt8

  /// The format of an operation, or nothing where it has no matrices.
  ///
  /// Matrices that are stored in different ways become 32-bit floats.
  init?(_ operation: ModelOperation, _ tensors: [TensorDescription]) {
    guard let first = operation.matrices.first else { return nil }
    let type = tensors[first].type
    guard operation.matrices.allSatisfy({ tensors[$0].type == type }) else {
      self = .float32
      return
    }
    self =
      switch type {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .int8: operation.inputBits == 8 ? .narrowInt8 : .int8
      }
  }

  /// What the kernels know the format by.
  var code: UInt8 {
    let code =
      switch self {
      case .float32: RN_FLOAT32
      case .float16: RN_FLOAT16
      case .bfloat16: RN_BFLOAT16
      case .int8: RN_INT8
      case .narrowInt8: RN_INT8_NARROW
      }
    return UInt8(code)
  }

  /// Columns that stand together.
  var columns: Int {
    switch self {
    case .float32, .float16: 1
    case .bfloat16: 2
    case .int8, .narrowInt8: 4
    }
  }

  /// Bytes of 16 rows in such a group.
  var groupBytes: Int { self == .float16 ? 32 : 64 }

  /// Bytes of 16 rows' constants in front of each part.
  var headerBytes: Int {
    switch self {
    case .float32, .float16, .bfloat16: 0
    case .int8, .narrowInt8: 128
    }
  }

  /// Bytes of a panel of `vectors` × 16 rows, `biases` × 16 biases, and parts with these numbers of
  /// columns, up to the end of a cache line.
  func panelBytes(vectors: Int, biases: Int, _ columns: [Int]) -> Int {
    let part = columns.reduce(0) {
      $0 + headerBytes + ($1 + self.columns - 1) / self.columns * groupBytes
    }
    return (64 * biases + vectors * part + 63) / 64 * 64
  }

  /// Bytes of the panels of a cell's gates, of `size` units each.
  func gateBytes(_ gates: Int, size: Int, _ columns: [Int]) -> Int {
    let whole = panelBytes(vectors: gates, biases: 4, columns)
    let half = panelBytes(vectors: (gates + 1) / 2, biases: 4, columns)
    return rn_has_half_block(Int64(size)) ? size / 16 * whole + half : (size + 15) / 16 * whole
  }

  /// Bytes of `blocks` × 16 rows in panels of four blocks and of one.
  func rowBytes(_ blocks: Int, _ columns: [Int]) -> Int {
    blocks / 4 * panelBytes(vectors: 4, biases: 4, columns)
      + blocks % 4 * panelBytes(vectors: 1, biases: 1, columns)
  }

  /// Bytes of the words of a vector, with room for whole vectors of 16 elements.
  static func wordBytes(_ size: Int) -> Int { (size + 15) / 16 * 32 }

  /// Whether a vector's words are made in the session's block.
  var needsWords: Bool { self != .float32 && self != .float16 }
}
