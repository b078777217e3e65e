// The second section: what each tensor is. The numbers follow in the third.
//
//     list of tensors      string name, u8 type, u8 scaling, u8 rank, u8 zero, rank × u32 dimension

/// The type of a tensor's numbers.
enum TensorType: UInt8 {
  case float32 = 1
  case float16 = 2
  case bfloat16 = 3
  case int8 = 4

  /// How the type is scaled: 0 is not at all, 1 by one factor for each row.
  var scaling: UInt8 { self == .int8 ? 1 : 0 }

  /// The size of a number in bytes.
  var size: Int {
    switch self {
    case .float32: 4
    case .float16, .bfloat16: 2
    case .int8: 1
    }
  }
}

/// What the tensors section says of one tensor.
struct TensorHeader {
  let name: String
  let type: TensorType
  let shape: [Int]
}

extension ByteReader {
  mutating func tensorsSection() throws(ModelError) -> [TensorHeader] {
    var headers: [TensorHeader] = []
    for _ in 0..<(try count(limit: FormatLimits.tensors, elementBytes: 12)) {
      headers.append(try tensorHeader())
    }
    return headers
  }

  private mutating func tensorHeader() throws(ModelError) -> TensorHeader {
    let name = try string()
    let start = offset
    guard let type = TensorType(rawValue: try u8()) else {
      throw .format(.tensorType, offset: start)
    }
    guard try u8() == type.scaling else { throw .format(.tensorScaling, offset: start + 1) }
    let rank = Int(try u8())
    guard 1...FormatLimits.rank ~= rank else { throw .format(.tensorRank, offset: start + 2) }
    try zeros(1, else: .reserved)

    var shape: [Int] = []
    var elementCount = 1
    for _ in 0..<rank {
      let dimension = Int(try u32())
      guard 1...FormatLimits.dimension ~= dimension else {
        throw .format(.tensorDimension, offset: offset - 4)
      }
      shape.append(dimension)
      elementCount *= dimension
      // Asked after every factor, so that the product never overflows.
      guard elementCount <= FormatLimits.tensorElements else {
        throw .format(.tensorTooLarge, offset: offset - 4)
      }
    }
    return TensorHeader(name: name, type: type, shape: shape)
  }
}

extension ByteWriter {
  mutating func tensorsSection(_ tensors: [TensorDescription]) {
    u32(tensors.count)
    for tensor in tensors {
      let type = tensor.storage.type
      string(tensor.name)
      u8(Int(type.rawValue))
      u8(Int(type.scaling))
      u8(tensor.shape.count)
      u8(0)
      for dimension in tensor.shape { u32(dimension) }
    }
  }
}

extension TensorDescription.Storage {
  fileprivate var type: TensorType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    }
  }
}
