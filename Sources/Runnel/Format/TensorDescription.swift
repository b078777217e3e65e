/// A weight tensor: its shape and its numbers as they stand in the file, row-major.
public struct TensorDescription: Equatable, Sendable {
  /// How the numbers are stored.
  public enum Storage: Equatable, Sendable {
    /// 32-bit floats.
    case float32([Float])
    /// IEEE 754 half precision, as bit patterns.
    case float16([UInt16])
    /// The upper halves of 32-bit floats, as bit patterns.
    case bfloat16([UInt16])
    /// Integers times a scale per row (per element of the first dimension).
    case int8([Int8], scales: [Float])
  }
  /// The name, for people and error messages, such as `gru0.recurrentWeights`.
  public var name: String
  /// The sizes of the dimensions, one or two of them.
  public var shape: [Int]
  /// The numbers.
  public var storage: Storage

  /// Makes a tensor.
  public init(name: String, shape: [Int], storage: Storage) {
    self.name = name
    self.shape = shape
    self.storage = storage
  }

  /// Makes a tensor of 32-bit floats.
  public init(name: String, shape: [Int], values: [Float]) {
    self.init(name: name, shape: shape, storage: .float32(values))
  }
}
