internal import CKernelShims

/// How a model is loaded.
public struct ModelOptions: Equatable, Sendable {
  /// The instructions to use; the best that the CPU has where it is `nil`.
  public var level: InstructionLevel?
  /// Whether loading fails when the golden frames give other predictions than the file says.
  public var verifiesGolden: Bool

  /// Makes options.
  public init(level: InstructionLevel? = nil, verifiesGolden: Bool = false) {
    self.level = level
    self.verifiesGolden = verifiesGolden
  }
}

/// A loaded model: immutable, its weights packed for the CPU that it runs on.
///
/// One model serves any number of sessions on any number of threads. Loading is where allocation
/// ends: sessions have a fixed size, and steps allocate nothing.
@safe public final class Model: Sendable {
  /// What the file says.
  public let description: ModelDescription
  /// The programs; a model that only steps has one.
  public let programs: [Program]
  /// The instructions that steps use.
  public let level: InstructionLevel
  /// Bytes of the packed weights.
  public let weightByteCount: Int
  /// Bytes of the block that each session has.
  public let sessionByteCount: Int

  /// Bytes of the block that each frame of a sequence has.
  let sequenceByteCount: Int
  /// Bytes of a buffer of states.
  let stateByteCount: Int
  /// The place of each state in its buffer, in bytes.
  let statePlaces: [Int]

  // SAFETY: both point to memory that is written in `init`, never after, and freed in `deinit`.
  nonisolated(unsafe) let weights: UnsafeMutableRawPointer
  /// Two compiled programs for each program, one for each turn of the state buffers.
  nonisolated(unsafe) let compiled: UnsafeMutablePointer<rn_program>
  /// What the states are after a reset: a buffer of states.
  let initialStates: [Float]

  /// Loads a description.
  ///
  /// - Throws: ``ModelError`` when the parts do not fit together, when the CPU has not the
  ///   instructions asked for, or when golden frames deviate and the options ask for that check.
  public init(_ description: ModelDescription, options: ModelOptions = ModelOptions())
    throws(ModelError)
  {
    let shapes = try description.validate()
    let level = options.level ?? .best
    guard level <= .best else { throw .unsupportedLevel }

    let values = description.tensors.map { tensor in tensor.values.map(Self.flushed) }
    let bounds = description.stateBounds(values)
    // Each tensor used once packs into at most 64 bytes an element; some reuse is fine.
    var room = 64 * values.reduce(0) { $0 + $1.count } + 4 << 20
    var packed: [PackKey: Int] = [:]
    var packings: [PackKey] = []
    var byteCount = 0
    var layout = BlockLayout(description.states)
    var programs: [CompiledProgram] = []
    for (number, (program, shapes)) in zip(description.programs, shapes).enumerated() {
      var weights: [OperationWeights] = []
      for (index, operation) in program.operations.enumerated() {
        let size = shapes.slotSizes[program.inputs.count + index]
        let format = PanelFormat(operation, description.tensors)
        // Operations that use the same weights share them.
        let key = PackKey(
          code: operation.code, tensors: operation.tensors, size: size, format: format)
        let bound = operation.states.first.map { bounds[$0] } ?? 0
        let shape = operation.tensors.first.map { description.tensors[$0].shape } ?? []
        let runs =
          operation.code == .gather ? GatherRun.runs(values[operation.tensors[0]]) : nil
        func add(place: Int) {
          weights.append(
            OperationWeights(
              place: place, format: format, hiddenBound: bound, shape: shape, runs: runs))
        }
        if let place = runs == nil ? packed[key] : 0 {
          // Runs are instructions of their own, and need no numbers.
          add(place: place)
          continue
        }
        let bytes = WeightPacker.byteCount(
          operation.code, format,
          inputSize: operation.operands.first.map { shapes.slotSizes[$0] } ?? 0, size: size,
          shape: shape)
        room -= bytes
        guard room >= 0 else {
          throw .program(.weightsTooLarge, program: number, operation: index)
        }
        packings.append(key)
        packed[key] = byteCount
        add(place: byteCount)
        byteCount += bytes
      }
      for turn in 0...1 {
        programs.append(
          CompiledProgram(
            program, shapes: shapes, states: description.states, layout: layout, turn: turn,
            weights: weights))
      }
    }
    for program in programs { layout.reserve(upTo: program.end) }
    for index in programs.indices { programs[index].placeSequenceParts(from: layout.byteCount) }
    sequenceByteCount = layout.byteCount + programs.reduce(0) { max($0, $1.sequenceBytes) }

    var initial = [Float](repeating: 0, count: layout.stateBytes / 4)
    for (state, place) in zip(description.states, layout.states) {
      guard let tensor = state.initial else { continue }
      for (k, value) in values[tensor].enumerated() { initial[place / 4 + k] = value }
    }

    self.description = description
    self.programs = zip(description.programs, shapes).map(Program.init)
    self.level = level
    weightByteCount = byteCount
    sessionByteCount = layout.byteCount
    stateByteCount = layout.stateBytes
    statePlaces = layout.states
    initialStates = initial
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(64, weightByteCount), alignment: 64)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    var packer = unsafe WeightPacker(memory)
    for key in packings {
      packer.pack(
        key.code, key.format, tensors: key.tensors.map { (description.tensors[$0], values[$0]) },
        size: key.size)
    }
    unsafe weights = memory.baseAddress!
    unsafe compiled = .allocate(capacity: programs.count)
    for (index, program) in programs.enumerated() {
      unsafe (compiled + index).initialize(to: program.table())
    }
    StepError.prepare()
    if options.verifiesGolden {
      let verification = verify()
      if !verification.ok {
        throw .deviation(verification.maxDeviation, tolerance: verification.tolerance)
      }
    }
  }

  deinit {
    for index in 0..<2 * programs.count {
      unsafe compiled[index].instructions.deallocate()
      unsafe compiled[index].inputs.deallocate()
      unsafe compiled[index].outputs.deallocate()
      unsafe compiled[index].checks.deallocate()
    }
    unsafe compiled.deallocate()
    unsafe weights.deallocate()
  }

  /// The number of elements of a frame of the first program.
  public var frameSize: Int { programs[0].frameSize }
  /// The number of elements of a prediction of the first program.
  public var predictionSize: Int { programs[0].predictionSize }

  /// Weights below the threshold of the kernels count as zero; see `leastMagnitude` there.
  private static func flushed(_ weight: Float) -> Float { weight.magnitude < 0x1p-60 ? 0 : weight }
}

/// What makes two operations' packed weights the same.
private struct PackKey: Hashable {
  let code: ModelOperation.Code
  let tensors: [Int]
  let size: Int
  let format: PanelFormat?
}

/// Where an operation's packed weights are, and what the kernels must know about them.
struct OperationWeights {
  /// Bytes from the start of the model's weights.
  let place: Int
  /// The format of matrices, if there are any.
  let format: PanelFormat?
  /// The largest magnitude of the hidden state, 0 where it has no bound.
  let hiddenBound: Float
  /// The shape of the first tensor, if there is one.
  let shape: [Int]
  /// What stands side by side, of a `gather` that copies such runs.
  let runs: [GatherRun]?
}

extension ModelDescription {
  /// The largest magnitude that each state can have: 1, or that of its initial values, where all
  /// operations that change it make it a mean of the state before and of tanh; 0 for others.
  fileprivate func stateBounds(_ values: [[Float]]) -> [Float] {
    var bounds = states.map { state in
      let initial = state.initial.map { values[$0] } ?? []
      return initial.reduce(1) { max($0, $1.magnitude) }
    }
    // Programs share states: one program's operation can break what another's keeps.
    for operation in programs.flatMap(\.operations) {
      for (place, state) in operation.writtenStates.enumerated()
      where place > 0 || !operation.hasActivations { bounds[state] = 0 }
    }
    return bounds
  }
}

extension CompiledProgram {
  /// The program as the kernels read it, in memory that the model frees.
  fileprivate func table() -> rn_program {
    unsafe rn_program(
      instructions: Self.copy(instructions), inputs: Self.copy(inputs),
      outputs: Self.copy(outputs), checks: Self.copy(checks),
      instructionCount: UInt32(instructions.count), inputCount: UInt32(inputs.count),
      outputCount: UInt32(outputs.count), checkCount: UInt32(checks.count),
      stateCheckCount: UInt32(stateChecks), frameSize: UInt32(frameSize),
      predictionSize: UInt32(predictionSize),
      framewise: isFramewise ? 1 : 0, needsWholeSequence: needsWholeSequence ? 1 : 0)
  }

  private static func copy<Element: BitwiseCopyable>(
    _ elements: [Element]
  ) -> UnsafePointer<Element> {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
    for (index, element) in elements.enumerated() {
      unsafe (memory + index).initialize(to: element)
    }
    return unsafe UnsafePointer(memory)
  }
}
