/// What one operation requires of its operands, tensors and states, and the size of its result.
///
/// A new operation is one more case in ``resultSize()``.
struct OperationRule {
  private let operation: ModelOperation
  private let program: Int
  private let place: Int
  private var operands: [SlotShape] = []
  private var shapes: [[Int]] = []
  private var stateSizes: [Int] = []

  /// The rule for `operation`, which stands at `place` of the program with number `program`.
  init(_ operation: ModelOperation, program: Int, place: Int) {
    self.operation = operation
    self.program = program
    self.place = place
  }

  /// Checks the operation and gives the size of its result.
  ///
  /// - Parameters:
  ///   - slots: The slots that exist before the operation.
  ///   - model: The model, whose tensors and states have been checked.
  ///   - isWritten: Which states an operation of the program has written; this one's are added.
  consuming func resultSize(
    slots: [SlotShape], model: ModelDescription, isWritten: inout [Bool]
  ) throws(ModelError) -> Int {
    try require(operation.operands.count <= FormatLimits.operands, .operandCount)
    for slot in operation.operands {
      try require(slots.indices.contains(slot), .noSuchSlot)
      operands.append(slots[slot])
    }
    for tensor in operation.tensors {
      try require(model.tensors.indices.contains(tensor), .noSuchTensor)
      shapes.append(model.tensors[tensor].shape)
    }
    for state in operation.states {
      try require(model.states.indices.contains(state), .noSuchState)
      if operation.code != .recall {
        try require(!isWritten[state], .stateWrittenTwice)
        isWritten[state] = true
      }
      stateSizes.append(model.states[state].size)
    }
    try require(operation.accuracy == .exact || operation.hasActivations, .attribute)
    try require(
      operation.inputBits == 16 || operation.inputBits == 8 && operation.hasMatrices, .attribute)
    try require(isPositive(operation.stride, where: operation.hasStride), .attribute)
    try require(isPositive(operation.width, where: operation.code == .maximum), .attribute)
    try require(isPositive(operation.count, where: operation.code == .maximum), .attribute)
    try require(isPositive(operation.dilation, where: operation.code == .window), .attribute)
    let size = try resultSize()
    try require(size <= FormatLimits.dimension, .resultTooLarge)
    if operation.code == .gather {
      guard case .float32(let numbers) = model.tensors[operation.tensors[0]].storage else {
        throw fault(.tensorStorage)
      }
      let limit = Float(try vector(0))
      for number in numbers {
        try require(
          number >= -1 && number < limit && number == number.rounded(.towardZero), .tensorValue)
      }
    }
    return size
  }

  /// The rule of each operation, in the order of the codes.
  private func resultSize() throws(ModelError) -> Int {
    switch operation.code {
    case .rnnTanh, .rnnReLU:
      try takes(operands: 1, tensors: 3, states: 1)
      return try recurrentSize(gates: 1)
    case .lstm:
      try takes(operands: 1, tensors: 3, states: 2)
      try require(stateSizes[1] == stateSizes[0], .stateSize)
      return try recurrentSize(gates: 4)
    case .gruResetAfter:
      try takes(operands: 1, tensors: 4, states: 1)
      try require(shapes[3] == [stateSizes[0]], .tensorShape)
      return try recurrentSize(gates: 3)
    case .gruResetBefore:
      try takes(operands: 1, tensors: 3, states: 1)
      return try recurrentSize(gates: 3)
    case .dense:
      try takes(operands: 1, tensors: 2)
      let rows = shapes[0][0]
      try require(shapes[0] == [rows, try vector(0)], .tensorShape)
      try require(shapes[1] == [rows], .tensorShape)
      return rows
    case .embedding:
      try takes(operands: 1, tensors: 1)
      guard case .index(let size) = operands[0] else { throw fault(.operandIsVector) }
      try require(shapes[0].count == 2 && shapes[0][0] == size, .tensorShape)
      return shapes[0][1]
    case .affine, .clip: return try elementwise([try vector(0), try vector(0)])
    case .prelu, .elu: return try elementwise([try vector(0)])
    case .layerNorm: return try elementwise([try vector(0), try vector(0), 1])
    case .gather:
      try takes(operands: 1, tensors: 1)
      try require(shapes[0].count == 1, .tensorShape)
      _ = try vector(0)
      return shapes[0][0]
    case .convolution:
      try takes(operands: 1, tensors: 2)
      try require(shapes[0].count == 2 && shapes[1] == [shapes[0][0]], .tensorShape)
      return try windows(of: shapes[0][1], rows: shapes[0][0]) * shapes[0][0]
    case .depthwise:
      try takes(operands: 1, tensors: 2)
      try require(shapes[0].count == 2 && shapes[1] == [shapes[0][1]], .tensorShape)
      return try windows(of: shapes[0][0] * shapes[0][1]) * shapes[0][1]
    case .maximum:
      try takes(operands: 1)
      return try windows(of: operation.count * operation.width) * operation.width
    case .tanh, .sigmoid, .relu, .softmax, .softplus, .gelu, .squareRoot, .exponential, .logarithm,
      .errorFunction, .reverse:
      return try elementwise([])
    case .add, .multiply, .divide:
      try takes(operands: 2)
      let size = try vector(0)
      try require(try vector(1) == size, .operandSize)
      return size
    case .recall:
      try takes(operands: 0, states: 1)
      return stateSizes[0]
    case .store:
      try takes(operands: 1, states: 1)
      try require(try vector(0) == stateSizes[0], .stateSize)
      return stateSizes[0]
    case .window:
      try takes(operands: 1, states: 1)
      let size = try vector(0)
      let step = size * operation.dilation
      try require(stateSizes[0] % step == 0, .stateSize)
      return stateSizes[0] / operation.dilation + size
    case .every:
      try takes(operands: 1, states: 1)
      try require(stateSizes[0] == 1, .stateSize)
      return try vector(0)
    case .concatenate:
      try require(!operands.isEmpty, .operandCount)
      try takes(operands: operands.count)
      var size = 0
      for operand in operands.indices { size += try vector(operand) }
      return size
    }
  }

  /// The hidden size of a recurrent cell with input weights `[gates × H, I]`, recurrent weights
  /// `[gates × H, H]` and bias `[gates × H]`.
  private func recurrentSize(gates: Int) throws(ModelError) -> Int {
    let hiddenSize = stateSizes[0]
    let rows = gates * hiddenSize
    try require(shapes[0] == [rows, try vector(0)], .tensorShape)
    try require(shapes[1] == [rows, hiddenSize], .tensorShape)
    try require(shapes[2] == [rows], .tensorShape)
    return hiddenSize
  }

  /// How many windows of so many elements, each multiplied by so many rows, the operand has.
  private func windows(of size: Int, rows: Int = 1) throws(ModelError) -> Int {
    let elements = try vector(0)
    try require(size <= elements, .operandSize)
    let count = (elements - size) / operation.stride + 1
    try require(count * size * rows <= FormatLimits.windowProducts, .windowsTooLarge)
    return count
  }

  /// Whether an attribute is a number that the format can hold; 1 where the operation does not take it.
  private func isPositive(_ value: Int, where isTaken: Bool) -> Bool {
    value == 1 || isTaken && 1...Int(UInt16.max) ~= value
  }

  /// The size of an operation on one vector, with vectors of these sizes as tensors.
  private func elementwise(_ sizes: [Int]) throws(ModelError) -> Int {
    try takes(operands: 1, tensors: sizes.count)
    try require(shapes == sizes.map { [$0] }, .tensorShape)
    return try vector(0)
  }

  private func takes(operands: Int, tensors: Int = 0, states: Int = 0) throws(ModelError) {
    try require(self.operands.count == operands, .operandCount)
    try require(shapes.count == tensors, .tensorCount)
    try require(stateSizes.count == states, .stateCount)
  }

  /// The size of an operand, which must be a vector.
  private func vector(_ operand: Int) throws(ModelError) -> Int {
    guard case .vector(let size) = operands[operand] else { throw fault(.operandIsIndex) }
    return size
  }

  private func require(_ condition: Bool, _ fault: ProgramFault) throws(ModelError) {
    guard condition else { throw self.fault(fault) }
  }

  private func fault(_ fault: ProgramFault) -> ModelError {
    .program(fault, program: program, operation: place)
  }
}
