internal import CKernelShims

/// The state of one stream.
///
/// A session is made of one block of memory of a fixed size, ``Model/sessionByteCount``. It may
/// move between threads, but is used by one at a time, which the compiler checks.
@safe public struct Session: ~Copyable, @unchecked Sendable {
  // SAFETY (`Sendable`): only the session knows its block, and it cannot be copied.

  /// The model that the session steps.
  public let model: Model
  private let level: InstructionLevel
  private let weights: UnsafeRawPointer
  private let block: UnsafeMutableRawPointer
  private let programs: UnsafePointer<rn_program>
  private let programCount: Int
  private let stateByteCount: Int
  /// Which of the two buffers of states is the current one.
  private var turn = 0

  /// Starts a stream, in the state that a reset gives.
  ///
  /// - Complexity: One allocation of ``Model/sessionByteCount`` bytes.
  public init(_ model: Model) {
    self.model = model
    level = model.level
    unsafe weights = UnsafeRawPointer(model.weights)
    unsafe programs = UnsafePointer(model.compiled)
    programCount = model.programs.count
    stateByteCount = model.stateByteCount
    unsafe block = .allocate(byteCount: max(64, model.sessionByteCount), alignment: 64)
    unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: model.sessionByteCount)
    reset()
  }

  deinit { unsafe block.deallocate() }

  /// Starts the stream again: all states become what they were before the first frame.
  ///
  /// - Complexity: O(states). Never allocates, locks or calls the system.
  public mutating func reset() {
    turn = 0
    unsafe model.initialStates.withUnsafeBytes { states in
      unsafe UnsafeMutableRawBufferPointer(start: block, count: states.count)
        .copyMemory(from: states)
    }
  }

  /// Whether these are the programs that the session steps with.
  @_noAllocation @_noLocks
  func hasPrograms(_ programs: UnsafePointer<rn_program>) -> Bool {
    unsafe self.programs == programs
  }

  /// Copies the current states, padded to whole vectors, one behind the other.
  @_noAllocation @_noLocks
  func copyStates(to target: UnsafeMutableRawPointer) {
    unsafe target.copyMemory(from: block + turn &* stateByteCount, byteCount: stateByteCount)
  }

  /// Replaces the current states.
  mutating func setStates(_ source: UnsafeMutableRawPointer) {
    unsafe (block + turn * stateByteCount).copyMemory(from: source, byteCount: stateByteCount)
  }

  /// Reads one of the states.
  ///
  /// - Parameters:
  ///   - state: Its index in ``ModelDescription/states``.
  ///   - target: Receives it; as large as the state.
  /// - Complexity: O(state). Never allocates, locks or calls the system.
  public func copyState(_ state: Int, into target: inout MutableSpan<Float>) {
    precondition(model.description.states.indices.contains(state), "there is no such state")
    precondition(
      target.count == model.description.states[state].size, "the state has another size")
    let start = unsafe block + turn * stateByteCount + model.statePlaces[state]
    for index in 0..<target.count {
      target[index] = unsafe start.load(fromByteOffset: 4 * index, as: Float.self)
    }
  }

  /// Advances the stream by one frame.
  ///
  /// - Parameters:
  ///   - frame: One frame, shape `[frameSize]`, in the units that the model was trained on.
  ///   - prediction: Receives the prediction, shape `[predictionSize]`. Written only when there is
  ///     one.
  /// - Returns: Whether there is a prediction: always, but for models that do not answer every frame;
  ///   see ``Program/answersEveryFrame``.
  /// - Throws: ``StepError``. The session is then as it was before, and the next good frame
  ///   continues the stream.
  /// - Complexity: O(weights). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks @discardableResult
  public mutating func step(_ frame: Span<Float>, into prediction: inout MutableSpan<Float>)
    throws(StepError) -> Bool
  {
    try step(program: 0, frame, into: &prediction)
  }

  /// Advances the stream by one frame with one of the model's programs.
  ///
  /// - Parameters:
  ///   - program: The index of the program in ``Model/programs``.
  ///   - frame: One frame, of the program's frame size.
  ///   - prediction: Receives the prediction, of the program's prediction size.
  /// - Returns: Whether there is a prediction.
  /// - Throws: ``StepError``. The session is then as it was before.
  /// - Complexity: O(weights of the program). Never allocates, locks or calls the system.
  @_noAllocation @_noLocks @discardableResult
  public mutating func step(
    program: Int, _ frame: Span<Float>, into prediction: inout MutableSpan<Float>
  ) throws(StepError) -> Bool {
    guard program >= 0, program < programCount else { throw .noSuchProgram }
    let compiled = unsafe programs + (2 &* program &+ turn)
    let frameSize = unsafe Int(truncatingIfNeeded: compiled.pointee.frameSize)
    let predictionSize = unsafe Int(truncatingIfNeeded: compiled.pointee.predictionSize)
    guard unsafe compiled.pointee.needsWholeSequence == 0 else { throw .needsWholeSequence }
    guard frame.count == frameSize else {
      throw .frameSize(expected: frameSize, actual: frame.count)
    }
    guard prediction.count == predictionSize else {
      throw .predictionSize(expected: predictionSize, actual: prediction.count)
    }
    let level = level
    let weights = unsafe weights
    let block = unsafe block
    // SAFETY: both counts were checked, and are at least 1 in a valid model. The frame's pointer
    // leaves its closure (one closure inside the other would count references) but not this
    // function, and the span keeps the memory alive and unchanged until it returns.
    let input = unsafe frame.withUnsafeBufferPointer { $0.baseAddress! }
    let result = unsafe prediction.withUnsafeMutableBufferPointer { prediction in
      unsafe dispatchStep(
        level, compiled, block: block, weights: weights, frame: input,
        prediction: prediction.baseAddress!)
    }
    switch result &>> 32 {
    case RN_DONE:
      turn = 1 &- turn
      return true
    case RN_NO_PREDICTION:
      turn = 1 &- turn
      return false
    case RN_NONFINITE_INPUT: throw .nonFiniteInput(index: result & 0xffff_ffff)
    case RN_INDEX_OUT_OF_RANGE: throw .indexOutOfRange(index: result & 0xffff_ffff)
    default: throw .nonFiniteResult
    }
  }
}
