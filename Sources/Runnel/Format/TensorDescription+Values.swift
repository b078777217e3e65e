extension TensorDescription {
  /// The numbers as 32-bit floats, row-major, whatever they are stored as.
  public var values: [Float] {
    switch storage {
    case .float32(let values): values
    case .float16(let bits): bits.map { Float(Float16(bitPattern: $0)) }
    case .bfloat16(let bits): bits.map { Float(bitPattern: UInt32($0) << 16) }
    case .int8(let integers, let scales):
      integers.indices.map { k in
        Float(integers[k]) * scales[k / max(1, integers.count / max(1, scales.count))]
      }
    }
  }
}
