package import Runnel

extension TensorDescription {
  /// The numbers that the tensor stands for, row-major.
  package var doubles: [Double] {
    switch storage {
    case .float32(let values): values.map(Double.init)
    case .float16(let bits): bits.map { Double(Float16(bitPattern: $0)) }
    case .bfloat16(let bits): bits.map { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .int8(let integers, let scales):
      integers.indices.map {
        Double(integers[$0]) * Double(scales[$0 / (integers.count / shape[0])])
      }
    }
  }
}
