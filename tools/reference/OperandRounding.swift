import Runnel

/// What the runtime makes of a vector before it is multiplied with a matrix of smaller numbers.
///
/// The runtime's vectors are 32-bit floats, and so are its decisions which number is the nearest;
/// they are taken here in the same way. All else of the product is left to `Double`.
enum OperandRounding {
  /// float32 and float16: the vector stays as it is.
  case none
  /// The nearest bfloat16, the even one of two.
  case bfloat16
  /// `bound / limit` times the nearest integer, the even one of two.
  case integers(limit: Float)

  /// The rounding of an operation; none where its matrices are of different types.
  init(_ operation: ModelOperation, _ tensors: [TensorDescription]) {
    let types = Set(operation.matrices.map { tensors[$0].type })
    switch types.count == 1 ? types.first : nil {
    case .bfloat16: self = .bfloat16
    case .int8: self = .integers(limit: operation.inputBits == 8 ? 127 : 32_767)
    case .float32, .float16, nil: self = .none
    }
  }

  /// The rounded vector.
  ///
  /// - Parameter bound: What counts as the largest magnitude; that of the vector where it is `nil`.
  func callAsFunction(_ vector: [Double], bound: Float? = nil) -> [Double] {
    switch self {
    case .none: return vector
    case .bfloat16:
      return vector.map { value in
        let bits = Float(value).bitPattern
        // Half of the last kept bit, less one if that bit is even: ties go to even.
        return Double(Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000))
      }
    case .integers(let limit):
      let floats = vector.map { Float($0) }
      let bound = bound ?? floats.reduce(0) { max($0, $1.magnitude) }
      // Smaller numbers count as zeros everywhere.
      guard bound >= 0x1p-60 else { return vector.map { _ in 0 } }
      let factor = limit / bound
      return floats.map { value in
        Double((value * factor).rounded(.toNearestOrEven)) * Double(bound) / Double(limit)
      }
    }
  }

  /// For each element, how far apart the roundings of what is `error` above and below it are.
  func doubts(_ vector: [Double], error: Double, bound: Float?) -> [Double] {
    if case .none = self { return vector.map { _ in 0 } }
    return zip(
      self(vector.map { $0 + error }, bound: bound), self(vector.map { $0 - error }, bound: bound)
    ).map { $0 - $1 }
  }
}
