internal import CKernelShims

extension WeightPacker {
  /// Bytes of an operation's packed weights: up to 64 for each weight, where a matrix has a single
  /// row.
  ///
  /// - Parameters:
  ///   - format: That of the operation's matrices, if it has any.
  ///   - inputSize: The size of its (first) operand.
  ///   - size: The size of its result.
  ///   - shape: That of its first tensor.
  static func byteCount(
    _ code: ModelOperation.Code, _ format: PanelFormat?, inputSize: Int, size: Int, shape: [Int]
  ) -> Int {
    let blocks = (size + 15) / 16
    let parts = [inputSize, size]
    let format = format ?? .float32
    return switch code {
    case .rnnTanh, .rnnReLU: format.rowBytes(blocks, parts)
    case .lstm: format.gateBytes(4, size: size, parts)
    case .gruResetAfter: format.gateBytes(3, size: size, parts)
    case .gruResetBefore: format.rowBytes(2 * blocks, parts) + format.rowBytes(blocks, parts)
    case .dense: format.rowBytes(blocks, [inputSize])
    case .embedding: blocks * 64 * shape[0]
    case .prelu, .elu: blocks * 64
    case .affine, .clip: blocks * 128
    case .layerNorm: blocks * 128 + 64
    case .gather: blocks * 64
    case .convolution: format.rowBytes((shape[0] + 15) / 16, [shape[1]])
    case .depthwise: (shape[0] + 1) * ((shape[1] + 15) / 16) * 64
    case .tanh, .sigmoid, .relu, .softmax, .softplus, .gelu, .squareRoot, .exponential, .logarithm,
      .errorFunction, .add, .multiply, .divide, .concatenate, .recall, .store, .maximum, .window,
      .every, .reverse:
      0
    }
  }

  /// Packs what an operation needs.
  ///
  /// - Parameters:
  ///   - tensors: The operation's tensors, in its order, with their numbers.
  ///   - size: The size of its result.
  mutating func pack(
    _ code: ModelOperation.Code, _ format: PanelFormat?,
    tensors: [(description: TensorDescription, values: [Float])], size: Int
  ) {
    func matrix(_ index: Int) -> PackedMatrix {
      PackedMatrix(tensors[index].description, tensors[index].values, format ?? .float32)
    }
    func values(_ index: Int) -> [Float] { tensors[index].values }
    switch code {
    case .rnnTanh, .rnnReLU:
      rows([matrix(0), matrix(1)], bias: values(2), size: size)
    case .lstm:
      gates(4, matrix(0), matrix(1), bias: values(2), size: size)
    case .gruResetAfter:
      gates(3, matrix(0), matrix(1), bias: values(2), candidateBias: values(3), size: size)
    case .gruResetBefore:
      // r and z in one product, n in another; the kernel knows where the second starts.
      rows([matrix(0), matrix(1)], bias: values(2), size: size, gates: 0..<2)
      rows([matrix(0), matrix(1)], bias: values(2), size: size, gates: 2..<3)
    case .dense, .convolution:
      rows([matrix(0)], bias: values(1), size: values(1).count)
    case .embedding: vectors(values(0), of: size)
    case .gather:
      for number in values(0) { put(Int32(number)) }
      for _ in values(0).count..<(size + 15) / 16 * 16 { put(Int32(-1)) }
    case .depthwise:
      vector(values(1))
      vectors(values(0), of: values(1).count)
    case .affine, .prelu, .clip, .elu, .layerNorm:
      for index in tensors.indices { vector(values(index)) }
    case .tanh, .sigmoid, .relu, .softmax, .softplus, .gelu, .squareRoot, .exponential, .logarithm,
      .errorFunction, .add, .multiply, .divide, .concatenate, .recall, .store, .maximum, .window,
      .every, .reverse:
      break
    }
  }

  /// The rows of a matrix, each as a vector.
  private mutating func vectors(_ values: [Float], of size: Int) {
    for first in stride(from: 0, to: values.count, by: size) {
      vector(Array(values[first..<first + size]))
    }
  }

  /// A vector, padded to whole blocks.
  private mutating func vector(_ values: [Float]) {
    for index in 0..<(values.count + 15) / 16 {
      put(values, Block(size: values.count, index: index))
    }
  }

  /// Rows in panels of four blocks, then of one: a dense layer, a vanilla RNN, or the given gates of a
  /// cell.
  private mutating func rows(
    _ parts: [PackedMatrix], bias: [Float], size: Int, gates: Range<Int> = 0..<1
  ) {
    let blocks = gates.flatMap { gate in
      (0..<(size + 15) / 16).map { Block(gate: gate, size: size, index: $0) }
    }
    var first = 0
    while first < blocks.count {
      let panel = Array(blocks[first..<(blocks.count - first >= 4 ? first + 4 : first + 1)])
      for block in panel { put(bias, block) }
      for part in parts { self.part(part, panel) }
      fillLine()
      first += panel.count
    }
  }

  /// An LSTM's or reset-after GRU's gates, a panel for each block of units; in that of a half block,
  /// two gates share a vector.
  ///
  /// - Parameter candidateBias: A GRU's `c_n`, which stands behind the other gates' biases.
  private mutating func gates(
    _ gates: Int, _ input: PackedMatrix, _ recurrent: PackedMatrix, bias: [Float],
    candidateBias: [Float]? = nil, size: Int
  ) {
    for index in 0..<(size + 15) / 16 {
      var blocks = (0..<gates).map { Block(gate: $0, size: size, index: index) }
      if rn_has_half_block(Int64(size)), 16 * (index + 1) > size {
        blocks = stride(from: 0, to: gates, by: 2).map { Block(halves: blocks[$0...].prefix(2)) }
      }
      for block in blocks { put(bias, block) }
      if let candidateBias { put(candidateBias, Block(size: size, index: index)) }
      for _ in blocks.count + (candidateBias == nil ? 0 : 1)..<4 { put([], Block(halves: [])) }
      part(input, blocks)
      part(recurrent, blocks)
      fillLine()
    }
  }
}
