extension WeightPacker {
  /// How many floats ``pack(_:tensors:inputSize:size:)`` appends: up to 16 for each weight, where a
  /// matrix has a single row.
  ///
  /// - Parameter rows: The rows of the operation's first tensor.
  static func packedCount(_ code: ModelOperation.Code, inputSize: Int, size: Int, rows: Int) -> Int
  {
    let padded = (size + 15) / 16 * 16
    return switch code {
    case .rnnTanh, .rnnReLU: padded * (1 + inputSize + size)
    case .lstm: 4 * padded * (1 + inputSize + size)
    case .gruResetAfter: padded + 3 * padded * (1 + inputSize + size)
    case .gruResetBefore: 3 * padded * (1 + inputSize + size)
    case .dense: padded * (1 + inputSize)
    case .embedding: padded * rows
    case .affine: 2 * padded
    case .tanh, .sigmoid, .relu, .softmax, .add, .multiply, .concatenate: 0
    }
  }

  /// Packs what an operation needs, and returns where it starts, in bytes.
  ///
  /// - Parameters:
  ///   - tensors: The numbers of the operation's tensors, in its order.
  ///   - inputSize: The size of its (first) operand.
  ///   - size: The size of its result.
  mutating func pack(
    _ code: ModelOperation.Code, tensors: [[Float]], inputSize: Int, size: Int
  ) -> Int {
    switch code {
    case .rnnTanh, .rnnReLU:
      return packRows(
        input: tensors[0], inputSize: inputSize, recurrent: tensors[1], hiddenSize: size,
        bias: tensors[2], size: size)
    case .lstm:
      return packGates(
        4, input: tensors[0], inputSize: inputSize, recurrent: tensors[1], hiddenSize: size,
        bias: tensors[2])
    case .gruResetAfter:
      return packGates(
        3, input: tensors[0], inputSize: inputSize, recurrent: tensors[1], hiddenSize: size,
        bias: tensors[2], candidateBias: tensors[3])
    case .gruResetBefore:
      // r and z in one product, n in another; the kernel knows where the second starts.
      let start = packRows(
        input: tensors[0], inputSize: inputSize, recurrent: tensors[1], hiddenSize: size,
        bias: tensors[2], size: size, gates: 0..<2)
      _ = packRows(
        input: tensors[0], inputSize: inputSize, recurrent: tensors[1], hiddenSize: size,
        bias: tensors[2], size: size, gates: 2..<3)
      return start
    case .dense:
      return packRows(input: tensors[0], inputSize: inputSize, bias: tensors[1], size: size)
    case .embedding:
      return packVectors(
        stride(from: 0, to: tensors[0].count, by: size).map { Array(tensors[0][$0..<$0 + size]) })
    case .affine:
      return packVectors(tensors)
    case .tanh, .sigmoid, .relu, .softmax, .add, .multiply, .concatenate:
      return 0
    }
  }
}
