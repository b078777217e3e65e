// The third section: the numbers of the tensors, in their order, row-major.
//
// The data of each tensor starts at a multiple of 64 bytes of the section, with zeros before it.
// The scales of an int8 tensor, one f32 a row, are data of their own before the integers.

extension TensorHeader {
  /// The lengths in bytes of the tensor's parts, each of which starts at a multiple of 64.
  private var partLengths: [Int] {
    let numbers = shape.reduce(type.size, *)
    return type == .int8 ? [4 * shape[0], numbers] : [numbers]
  }

  /// Refuses a weights section that is not exactly as long as its tensors.
  ///
  /// 4,096 tensors of 2^30 bytes are 2^42 bytes, so nothing can overflow.
  static func checkLength(
    of section: Range<Int>, _ headers: [TensorHeader]
  ) throws(ModelError) {
    var length = 0
    for header in headers {
      for part in header.partLengths { length = FileLayout.aligned(length) + part }
    }
    guard length == section.count else {
      throw .format(.weightsLength, offset: section.lowerBound)
    }
  }
}

extension ByteReader {
  /// Reads the weights of a section whose length has been checked.
  mutating func weightsSection(
    _ headers: [TensorHeader]
  ) throws(ModelError) -> [TensorDescription] {
    var tensors: [TensorDescription] = []
    tensors.reserveCapacity(headers.count)
    for header in headers {
      let storage = try storage(header)
      tensors.append(
        TensorDescription(name: header.name, shape: header.shape, storage: storage))
    }
    return tensors
  }

  private mutating func storage(
    _ header: TensorHeader
  ) throws(ModelError) -> TensorDescription.Storage {
    let count = header.shape.reduce(1, *)
    switch header.type {
    case .float32: return .float32(try part(count))
    case .float16: return .float16(try part(count))
    case .bfloat16: return .bfloat16(try part(count))
    case .int8:
      let scales: [Float] = try part(header.shape[0])
      return .int8(try part(count), scales: scales)
    }
  }

  /// Reads zeros up to the next multiple of 64, and numbers.
  ///
  /// Sections start at multiples of 64, so those of the section are those of the file.
  private mutating func part<Number: BitwiseCopyable>(_ count: Int) throws(ModelError) -> [Number] {
    try zeros(upTo: FileLayout.aligned(offset), else: .padding)
    return try numbers(count)
  }
}

extension ByteWriter {
  mutating func weightsSection(_ tensors: [TensorDescription]) {
    for tensor in tensors {
      switch tensor.storage {
      case .float32(let values): part(values)
      case .float16(let bits), .bfloat16(let bits): part(bits)
      case .int8(let integers, let scales):
        part(scales)
        part(integers)
      }
    }
  }

  private mutating func part<Number: BitwiseCopyable>(_ values: [Number]) {
    zeros(FileLayout.aligned(bytes.count) - bytes.count)
    numbers(values)
  }
}
