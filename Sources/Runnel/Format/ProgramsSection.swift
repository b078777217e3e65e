// The first section: the states that programs share, and the programs.
//
//     list of states       string name, u32 size, u32 initial tensor or 0xFFFFFFFF for zeros
//     list of programs     string name, inputs, operations, outputs:
//       list of inputs       string name, u32 kind, u32 size
//       list of operations   u16 code, u8 operand count, u8 tensor count, u8 state count,
//                            u8 attribute count, u16 zero, then each operand, tensor and
//                            state as a u32, then each attribute as a u16 code and a u16
//                            value, in ascending order of the codes
//       list of outputs      string name, u32 slot
//
// A list is a u32 count and its elements.

/// What an operation says besides what it refers to; what is not said has its default.
private enum Attribute: UInt16 {
  /// 1: activations of the fast class.
  case accuracy = 1
  /// 8: vectors of 8-bit integers.
  case inputBits = 2
  /// Elements from a window to the next, or steps.
  case stride = 3
  /// Elements of a row.
  case width = 4
  /// Rows of a window.
  case count = 5
  /// Steps from a frame to the next.
  case dilation = 6
}

extension ModelOperation {
  /// Sets an attribute to a value that is not its default, or says that there is no such value.
  fileprivate mutating func set(_ attribute: Attribute, to value: UInt16) -> Bool {
    switch attribute {
    case .accuracy:
      guard hasActivations, value == Accuracy.fast.rawValue else { return false }
      accuracy = .fast
    case .inputBits:
      guard hasMatrices, value == 8 else { return false }
      inputBits = 8
    case .stride:
      guard hasStride, value > 1 else { return false }
      stride = Int(value)
    case .width:
      guard code == .maximum, value > 1 else { return false }
      width = Int(value)
    case .count:
      guard code == .maximum, value > 1 else { return false }
      count = Int(value)
    case .dilation:
      guard code == .window, value > 1 else { return false }
      dilation = Int(value)
    }
    return true
  }

  /// The attributes that have not their default.
  fileprivate var attributes: [(Attribute, Int)] {
    let all: [(attribute: Attribute, value: Int, usual: Int)] = [
      (.accuracy, Int(accuracy.rawValue), Int(Accuracy.exact.rawValue)),
      (.inputBits, inputBits, 16), (.stride, stride, 1), (.width, width, 1), (.count, count, 1),
      (.dilation, dilation, 1),
    ]
    return all.filter { $0.value != $0.usual }.map { ($0.attribute, $0.value) }
  }
}

/// What stands in the place of the initial tensor of a state that starts from zeros.
private let noTensor: UInt32 = 0xFFFF_FFFF

extension ByteReader {
  mutating func programsSection() throws(ModelError) -> ([StateDescription], [ProgramDescription]) {
    var states: [StateDescription] = []
    for _ in 0..<(try count(limit: FormatLimits.states, elementBytes: 12)) {
      states.append(try state())
    }
    var programs: [ProgramDescription] = []
    for _ in 0..<(try count(limit: FormatLimits.programs, elementBytes: 16)) {
      programs.append(try program())
    }
    return (states, programs)
  }

  private mutating func state() throws(ModelError) -> StateDescription {
    let name = try string()
    let size = Int(try u32())
    let initial = try u32()
    return StateDescription(
      name: name, size: size, initial: initial == noTensor ? nil : Int(initial))
  }

  private mutating func program() throws(ModelError) -> ProgramDescription {
    var program = ProgramDescription(name: try string(), inputs: [], operations: [], outputs: [])
    for _ in 0..<(try count(limit: FormatLimits.ports, elementBytes: 12)) {
      program.inputs.append(try input())
    }
    for _ in 0..<(try count(limit: FormatLimits.operations, elementBytes: 8)) {
      program.operations.append(try operation())
    }
    for _ in 0..<(try count(limit: FormatLimits.ports, elementBytes: 8)) {
      program.outputs.append(OutputPort(name: try string(), slot: Int(try u32())))
    }
    return program
  }

  private mutating func input() throws(ModelError) -> InputPort {
    let name = try string()
    let start = offset
    guard let kind = InputPort.Kind(rawValue: try u32()) else {
      throw .format(.inputKind, offset: start)
    }
    return InputPort(name: name, kind: kind, size: Int(try u32()))
  }

  private mutating func operation() throws(ModelError) -> ModelOperation {
    let start = offset
    guard let code = ModelOperation.Code(rawValue: try u16()) else {
      throw .format(.operationCode, offset: start)
    }
    let (operandCount, tensorCount, stateCount) = (try u8(), try u8(), try u8())
    let attributeCount = try u8()
    try zeros(2, else: .reserved)
    var operation = ModelOperation(
      code, operands: try references(operandCount), tensors: try references(tensorCount),
      states: try references(stateCount))
    var last: UInt16 = 0
    for _ in 0..<attributeCount {
      let start = offset
      let (code, value) = (try u16(), try u16())
      guard let attribute = Attribute(rawValue: code), code > last,
        operation.set(attribute, to: value)
      else { throw .format(.attributes, offset: start) }
      last = code
    }
    return operation
  }

  private mutating func references(_ count: UInt8) throws(ModelError) -> [Int] {
    try numbers(Int(count), of: UInt32.self).map(Int.init)
  }
}

extension ByteWriter {
  mutating func programsSection(states: [StateDescription], programs: [ProgramDescription]) {
    u32(states.count)
    for state in states {
      string(state.name)
      u32(state.size)
      u32(state.initial ?? Int(noTensor))
    }
    u32(programs.count)
    for program in programs { self.program(program) }
  }

  private mutating func program(_ program: ProgramDescription) {
    string(program.name)
    u32(program.inputs.count)
    for input in program.inputs {
      string(input.name)
      u32(Int(input.kind.rawValue))
      u32(input.size)
    }
    u32(program.operations.count)
    for operation in program.operations { self.operation(operation) }
    u32(program.outputs.count)
    for output in program.outputs {
      string(output.name)
      u32(output.slot)
    }
  }

  private mutating func operation(_ operation: ModelOperation) {
    u16(Int(operation.code.rawValue))
    u8(operation.operands.count)
    u8(operation.tensors.count)
    u8(operation.states.count)
    u8(operation.attributes.count)
    u16(0)
    for reference in operation.operands { u32(reference) }
    for reference in operation.tensors { u32(reference) }
    for reference in operation.states { u32(reference) }
    for (attribute, value) in operation.attributes {
      u16(Int(attribute.rawValue))
      u16(value)
    }
  }
}
