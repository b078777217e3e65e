internal import CKernelShims

/// Where everything of a model lives in a session's block, in bytes.
///
/// The block is: the states, the states again (the two take turns at being current and next), and
/// the slots of whichever program runs, all padded to whole vectors of 64 bytes.
struct BlockLayout {
  /// The place of each state, from the start of its buffer.
  let states: [Int]
  /// Bytes of one buffer of states.
  let stateBytes: Int
  /// Bytes of the whole block.
  private(set) var byteCount: Int

  static func vectorBytes(_ count: Int) -> Int { (count + 15) / 16 * 64 }

  init(_ states: [StateDescription]) {
    var offset = 0
    var places: [Int] = []
    for state in states {
      places.append(offset)
      offset += Self.vectorBytes(state.size)
    }
    self.states = places
    stateBytes = offset
    byteCount = 2 * offset
  }

  /// Where slots start.
  var slots: Int { 2 * stateBytes }

  /// Makes room for a program's slots.
  mutating func reserve(upTo end: Int) { byteCount = max(byteCount, end) }
}

/// One program as lists of instructions, for one of the two turns of the state buffers.
struct CompiledProgram {
  var instructions: [rn_instruction] = []
  var inputs: [rn_input] = []
  var outputs: [rn_output] = []
  /// Bytes of the block that the slots reach up to.
  var end: Int
  /// Bytes that the blocks of sequences have besides.
  var sequenceBytes = 0
  /// What must be finite after a step: the next states, and the outputs that are none.
  var checks: [rn_output] = []
  /// How many of the checks, the first ones, are of states.
  private(set) var stateChecks = 0
  /// Whether a state is read before the instruction that writes it.
  private(set) var isFramewise = false
  let needsWholeSequence: Bool
  let frameSize: Int
  let predictionSize: Int

  /// Compiles a valid program.
  ///
  /// - Parameters:
  ///   - turn: 0 where the first buffer of states is the current one, 1 where the second is.
  ///   - weights: The packed weights of each operation.
  init(
    _ program: ProgramDescription, shapes: ProgramShapes, states: [StateDescription],
    layout: BlockLayout, turn: Int, weights: [OperationWeights]
  ) {
    let current = turn * layout.stateBytes
    let next = (1 - turn) * layout.stateBytes
    checks = zip(states, layout.states).map { state, place in
      rn_output(first: 0, width: UInt32(state.size), slot: UInt32(next + place))
    }
    frameSize = shapes.frameSize
    predictionSize = shapes.predictionSize
    end = layout.slots
    needsWholeSequence = program.needsWholeSequence
    var scratch = WindowScratch()

    var slots: [Int] = []
    var first = 0
    for port in program.inputs {
      slots.append(end)
      inputs.append(
        rn_input(
          first: UInt32(first), width: UInt32(port.width), slot: UInt32(end),
          indexLimit: port.kind == .index ? UInt32(port.size) : 0))
      end += BlockLayout.vectorBytes(port.width)
      first += port.width
    }

    var written: Set<Int> = []
    // An LSTM's hidden states, which are finite where its cell states are.
    var bounded: Set<UInt32> = []
    for (index, operation) in program.operations.enumerated() {
      let size = shapes.slotSizes[program.inputs.count + index]
      let operands = operation.operands.map { slots[$0] }
      let operandSizes = operation.operands.map { shapes.slotSizes[$0] }
      if operation.code == .recall {
        // The current state is read where it stands.
        slots.append(current + layout.states[operation.states[0]])
        isFramewise = true
        continue
      }
      var instruction = rn_instruction()
      instruction.weights = UInt64(weights[index].place)
      instruction.inputSize = UInt32(operandSizes[0])
      instruction.size = UInt32(size)
      instruction.input = UInt32(operands[0])
      if operands.count > 1 { instruction.input2 = UInt32(operands[1]) }
      instruction.code = operation.code.instruction
      instruction.fast = operation.accuracy == .fast ? 1 : 0
      instruction.backward = UInt32(turn)

      if let hidden = operation.states.first {
        instruction.hidden = UInt32(current + layout.states[hidden])
        instruction.nextHidden = UInt32(next + layout.states[hidden])
        instruction.stateSize = UInt32(states[hidden].size)
        written.formUnion(operation.writtenStates)
      }
      if operation.code == .every {
        slots.append(operands[0])
      } else if operation.givesState {
        slots.append(Int(instruction.nextHidden))
      } else {
        slots.append(end)
        end += BlockLayout.vectorBytes(size)
      }
      instruction.output = UInt32(slots.last!)
      instruction.stride = UInt32(operation.stride)

      if let format = weights[index].format {
        instruction.format = format.code
        instruction.hiddenBound = weights[index].hiddenBound
        // A convolution has words for its windows, in the scratch of all.
        if format.needsWords, operation.code != .convolution {
          instruction.words = UInt32(end)
          end += PanelFormat.wordBytes(operandSizes[0])
          if operation.states.count > 0 { end += PanelFormat.wordBytes(size) }
          end = (end + 63) / 64 * 64
        }
      }

      instruction.statePlaces = UInt32(operation.states.count)
      if operation.code == .lstm || operation.code == .gruResetAfter {
        // Twice four vectors for each block of 16 units; where, is known when all slots are.
        instruction.inputSums = UInt32(sequenceBytes)
        sequenceBytes += 8 * BlockLayout.vectorBytes(size)
      }

      switch operation.code {
      case .lstm:
        instruction.cell = UInt32(current + layout.states[operation.states[1]])
        instruction.nextCell = UInt32(next + layout.states[operation.states[1]])
        bounded.insert(instruction.output)
      case .gruResetBefore:
        instruction.scratch = UInt32(end)
        end += 3 * BlockLayout.vectorBytes(size)
      case .convolution, .depthwise:
        instruction.rows = UInt32(weights[index].shape[0])
        instruction.columns = UInt32(weights[index].shape[1])
        if operation.code == .convolution {
          scratch.reserve(elements: weights[index].shape[1], by: instructions.count)
        }
      case .maximum:
        instruction.rows = UInt32(operation.count)
        instruction.columns = UInt32(operation.width)
      case .window: instruction.stride = UInt32(operation.dilation)
      default: break
      }

      if operation.code == .concatenate {
        var place = slots.last!
        for (operand, count) in zip(operands, operandSizes) {
          instructions.append(Self.copy(from: operand, to: place, count))
          place += 4 * count
        }
      } else if let runs = weights[index].runs {
        for run in runs {
          instructions.append(Self.copy(of: run, from: operands[0], to: slots.last!))
        }
      } else {
        instructions.append(instruction)
      }
    }
    for index in scratch.users { instructions[index].scratch = UInt32(end) }
    end += scratch.byteCount
    for state in states.indices where !written.contains(state) {
      let place = layout.states[state]
      var instruction = Self.copy(from: current + place, to: next + place, states[state].size)
      instruction.stateSize = UInt32(states[state].size)
      instruction.hidden = instruction.input
      instruction.nextHidden = instruction.output
      instruction.statePlaces = 1
      instructions.append(instruction)
    }

    checks.removeAll { bounded.contains($0.slot) }
    stateChecks = checks.count

    first = 0
    for port in program.outputs {
      let width = shapes.slotSizes[port.slot]
      let output = rn_output(
        first: UInt32(first), width: UInt32(width), slot: UInt32(slots[port.slot]))
      outputs.append(output)
      if !bounded.contains(output.slot), !checks.contains(where: { $0.slot == output.slot }) {
        checks.append(output)
      }
      first += width
    }
  }

  /// Places what only blocks of sequences have behind everything else.
  mutating func placeSequenceParts(from start: Int) {
    for index in instructions.indices { instructions[index].inputSums += UInt32(start) }
  }

  private static func copy(from source: Int, to target: Int, _ count: Int) -> rn_instruction {
    var instruction = rn_instruction()
    instruction.code = UInt16(RN_COPY)
    instruction.input = UInt32(source)
    instruction.output = UInt32(target)
    instruction.inputSize = UInt32(count)
    return instruction
  }
}

extension CompiledProgram {
  /// The instruction for some elements of a `gather` that stand side by side.
  private static func copy(
    of run: GatherRun, from source: Int, to target: Int
  ) -> rn_instruction {
    var instruction = copy(
      from: source + 4 * max(0, run.source), to: target + 4 * run.target, run.count)
    if run.source < 0 { instruction.code = UInt16(RN_FILL) }
    return instruction
  }
}

/// Working memory that all convolutions of a program share.
private struct WindowScratch {
  private(set) var byteCount = 0
  /// The places of their instructions.
  private(set) var users: [Int] = []

  mutating func reserve(elements: Int, by instruction: Int) {
    let words = Int(RN_BATCH) * PanelFormat.wordBytes(elements)
    let bytes = (Int(RN_WINDOW_BYTES) + 63) / 64 * 64 + BlockLayout.vectorBytes(elements) + words
    byteCount = max(byteCount, (bytes + 63) / 64 * 64)
    users.append(instruction)
  }
}

extension ModelOperation.Code {
  /// The code that the kernels know the operation by.
  fileprivate var instruction: UInt16 {
    let code =
      switch self {
      case .rnnTanh: RN_RNN_TANH
      case .rnnReLU: RN_RNN_RELU
      case .lstm: RN_LSTM
      case .gruResetAfter: RN_GRU_RESET_AFTER
      case .gruResetBefore: RN_GRU_RESET_BEFORE
      case .dense: RN_DENSE
      case .embedding: RN_EMBEDDING
      case .affine: RN_AFFINE
      case .prelu: RN_PRELU
      case .clip: RN_CLIP
      case .elu: RN_ELU
      case .layerNorm: RN_LAYER_NORM
      case .gather: RN_GATHER
      case .convolution: RN_CONVOLUTION
      case .depthwise: RN_DEPTHWISE
      case .maximum: RN_MAXIMUM
      case .tanh: RN_TANH
      case .sigmoid: RN_SIGMOID
      case .relu: RN_RELU
      case .softmax: RN_SOFTMAX
      case .softplus: RN_SOFTPLUS
      case .gelu: RN_GELU
      case .squareRoot: RN_SQUARE_ROOT
      case .exponential: RN_EXPONENTIAL
      case .logarithm: RN_LOGARITHM
      case .errorFunction: RN_ERROR_FUNCTION
      case .add: RN_ADD
      case .multiply: RN_MULTIPLY
      case .divide: RN_DIVIDE
      case .store: RN_STORE
      case .window: RN_WINDOW
      case .every: RN_EVERY
      case .reverse: RN_REVERSE
      case .recall: preconditionFailure("recall has no instruction")
      case .concatenate: RN_COPY
      }
    return UInt16(code)
  }
}
