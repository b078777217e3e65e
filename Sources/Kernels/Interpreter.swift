package import CKernelShims

/// Runs compiled programs.
package enum Interpreter {
  /// Runs one step: checks and takes in the frame, runs the instructions, checks the next states
  /// and the prediction, gives out the prediction.
  ///
  /// The caller makes the next states the current ones when the result is `RN_DONE` or
  /// `RN_NO_PREDICTION`; in any other case nothing that counts has changed. The prediction is written
  /// when it is `RN_DONE`.
  @_noAllocation @_noLocks
  package static func step(
    _ program: UnsafePointer<rn_program>, block: UnsafeMutableRawPointer,
    weights: UnsafeRawPointer, frame: UnsafePointer<Float>,
    prediction: UnsafeMutablePointer<Float>
  ) -> Int {
    let taken = unsafe take(program.pointee, frame, block)
    if taken != RN_DONE { return taken }
    var instruction = unsafe program.pointee.instructions.unsafelyUnwrapped
    let end = unsafe instruction + Int(truncatingIfNeeded: program.pointee.instructionCount)
    while unsafe instruction < end {
      let goesOn = unsafe run(instruction, block, weights)
      unsafe instruction += 1
      if !goesOn { return unsafe stop(program, before: instruction, block) }
    }
    guard unsafe isFinite(program.pointee, block, program.pointee.checkCount) else {
      return result(RN_NONFINITE_RESULT, at: 0)
    }
    unsafe give(program.pointee, block, prediction)
    return RN_DONE
  }

  /// Ends a step before an instruction: what would be changed from there on stays as it is.
  @inline(never)
  static func stop(
    _ program: UnsafePointer<rn_program>, before next: UnsafePointer<rn_instruction>,
    _ block: UnsafeMutableRawPointer
  ) -> Int {
    let program = unsafe program.pointee
    var instruction = unsafe next
    let end =
      unsafe program.instructions.unsafelyUnwrapped
      + Int(truncatingIfNeeded: program.instructionCount)
    while unsafe instruction < end {
      unsafe carry(instruction.pointee, from: block, to: block, isDone: false)
      unsafe instruction += 1
    }
    guard unsafe isFinite(program, block, program.stateCheckCount) else {
      return result(RN_NONFINITE_RESULT, at: 0)
    }
    return result(RN_NO_PREDICTION, at: 0)
  }

  /// Copies the states of an instruction.
  ///
  /// - Parameter isDone: Whether its next states become another block's current ones; otherwise its
  ///   current states become its next ones.
  @inline(always)
  static func carry(
    _ i: rn_instruction, from source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer,
    isDone: Bool
  ) {
    if i.statePlaces == 0 { return }
    let size = Int(truncatingIfNeeded: i.stateSize)
    unsafe copy(
      source, isDone ? i.nextHidden : i.hidden, target, isDone ? i.hidden : i.nextHidden, size)
    if i.statePlaces > 1 {
      unsafe copy(source, isDone ? i.nextCell : i.cell, target, isDone ? i.cell : i.nextCell, size)
    }
  }

  /// Copies whole vectors from a place of a block to one of another.
  @inline(always)
  static func copy(
    _ source: UnsafeMutableRawPointer, _ from: UInt32, _ target: UnsafeMutableRawPointer,
    _ to: UInt32, _ size: Int
  ) {
    let x = unsafe UnsafeRawPointer(source) + Int(truncatingIfNeeded: from)
    let y = unsafe target + Int(truncatingIfNeeded: to)
    var k = 0
    while k < vectorCount(size) {
      unsafe store(load(x, k), y, k)
      k &+= 1
    }
  }

  /// Checks the frame and writes its parts to their slots, magnitudes below the threshold as zeros.
  @inline(always)
  static func take(
    _ program: rn_program, _ frame: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer
  ) -> Int {
    var port = unsafe program.inputs.unsafelyUnwrapped
    let end = unsafe port + Int(truncatingIfNeeded: program.inputCount)
    var bad: UInt32 = 0
    while unsafe port < end {
      let first = unsafe Int(truncatingIfNeeded: port.pointee.first)
      let width = unsafe Int(truncatingIfNeeded: port.pointee.width)
      let limit = unsafe port.pointee.indexLimit
      let x = unsafe frame + first
      let slot = unsafe block + Int(truncatingIfNeeded: port.pointee.slot)
      if limit > 0 {
        let index = unsafe x[0]
        guard index >= 0, index < Float(limit), Float(Int32(index)) == index else {
          return result(index.isFinite ? RN_INDEX_OUT_OF_RANGE : RN_NONFINITE_INPUT, at: first)
        }
        unsafe slot.assumingMemoryBound(to: Float.self)[0] = index
      } else {
        var k = 0
        while k < width {
          let count = Int32(truncatingIfNeeded: min(16, width &- k))
          let values = unsafe rn_load_first(x + k, count)
          bad |= rn_nonfinite(values, count)
          unsafe store(flush(values), slot, k &>> 4)
          k &+= 16
        }
      }
      unsafe port += 1
    }
    guard bad != 0 else { return RN_DONE }
    var k = 0
    while unsafe frame[k].isFinite { k &+= 1 }
    return result(RN_NONFINITE_INPUT, at: k)
  }

  /// A result in one word: its kind in the upper half, an index in the lower.
  @inline(always)
  static func result(_ kind: Int, at index: Int) -> Int { kind &<< 32 | index }

  /// Checks that the first `count` of what a program checks are finite.
  @inline(always)
  static func isFinite(
    _ program: rn_program, _ block: UnsafeMutableRawPointer, _ count: UInt32
  ) -> Bool {
    var check = unsafe program.checks.unsafelyUnwrapped
    let checked = unsafe check + Int(truncatingIfNeeded: count)
    // 0 as long as all is finite: 0 times infinity is NaN. Two sums wait half as long for each other.
    var zero = Vector.zero
    var zero2 = Vector.zero
    while unsafe check < checked {
      let slot = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: check.pointee.slot)
      let width = unsafe Int(truncatingIfNeeded: check.pointee.width)
      var k = 0
      while k &+ 32 <= width {
        zero = unsafe rn_fma(load(slot, k &>> 4), .zero, zero)
        zero2 = unsafe rn_fma(load(slot, k &>> 4 &+ 1), .zero, zero2)
        k &+= 32
      }
      if k &+ 16 <= width {
        zero = unsafe rn_fma(load(slot, k &>> 4), .zero, zero)
        k &+= 16
      }
      if k < width {
        // The elements that fill up the last vector do not count: they may hold anything.
        let rest = unsafe rn_load_first(
          slot.assumingMemoryBound(to: Float.self) + k, Int32(truncatingIfNeeded: width &- k))
        zero = rn_fma(rest, .zero, zero)
      }
      unsafe check += 1
    }
    return rn_nonfinite(zero + zero2, 16) == 0
  }

  /// Writes the prediction.
  @inline(always)
  static func give(
    _ program: rn_program, _ block: UnsafeMutableRawPointer,
    _ prediction: UnsafeMutablePointer<Float>
  ) {
    var port = unsafe program.outputs.unsafelyUnwrapped
    let end = unsafe port + Int(truncatingIfNeeded: program.outputCount)
    while unsafe port < end {
      let slot = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: port.pointee.slot)
      unsafe Elementwise.copy(
        slot.assumingMemoryBound(to: Float.self), Int(truncatingIfNeeded: port.pointee.width),
        prediction + Int(truncatingIfNeeded: port.pointee.first))
      unsafe port += 1
    }
  }

  /// Runs an instruction, and says whether the step goes on.
  @inline(always)
  static func run(
    _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) -> Bool {
    let backward = unsafe instruction.pointee.backward
    switch unsafe Int(truncatingIfNeeded: instruction.pointee.format) {
    case RN_FLOAT32:
      unsafe product(Float32Format(), instruction, block, weights, backward: backward, .step)
    case RN_FLOAT16:
      unsafe product(Float16Format(), instruction, block, weights, backward: backward, .step)
    case RN_BFLOAT16:
      unsafe product(BFloat16Format(), instruction, block, weights, backward: backward, .step)
    case RN_INT8:
      unsafe product(Int8Format(), instruction, block, weights, backward: backward, .step)
    case RN_INT8_NARROW:
      unsafe product(NarrowInt8Format(), instruction, block, weights, backward: backward, .step)
    default: return unsafe elementwise(instruction, block, weights)
    }
    return true
  }

  /// Runs an operation that has matrices.
  @inline(always)
  static func product<F: WeightFormat>(
    _ f: F, _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer, backward: UInt32, _ phase: Phase
  ) {
    switch unsafe Int(truncatingIfNeeded: instruction.pointee.code) {
    case RN_DENSE: unsafe Dense.step(f, instruction, block, weights)
    case RN_CONVOLUTION: unsafe Convolution.step(f, instruction, block, weights)
    case RN_RNN_TANH, RN_RNN_RELU: unsafe VanillaRNN.step(f, instruction, block, weights)
    default:
      if unsafe instruction.pointee.fast != 0 {
        unsafe gated(f, Fast(), instruction, block, weights, backward, phase)
      } else {
        unsafe gated(f, Exact(), instruction, block, weights, backward, phase)
      }
    }
  }

  /// Runs a cell that has gates.
  @inline(always)
  private static func gated<F: WeightFormat, A: Accuracy>(
    _ f: F, _ a: A, _ instruction: UnsafePointer<rn_instruction>,
    _ block: UnsafeMutableRawPointer, _ weights: UnsafeRawPointer, _ backward: UInt32,
    _ phase: Phase
  ) {
    switch unsafe Int(truncatingIfNeeded: instruction.pointee.code) {
    case RN_LSTM:
      unsafe LSTM.step(f, a, instruction, block, weights, backward: backward, phase)
    case RN_GRU_RESET_AFTER:
      unsafe GRUResetAfter.step(f, a, instruction, block, weights, backward: backward, phase)
    default: unsafe GRUResetBefore.step(f, a, instruction, block, weights)
    }
  }

  /// Runs an operation without matrices, and says whether the step goes on.
  @inline(never)
  static func elementwise(
    _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) -> Bool {
    let i = unsafe instruction.pointee
    let w = unsafe weights + Int(truncatingIfNeeded: i.weights)
    let size = Int(truncatingIfNeeded: i.size)
    let input = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: i.input)
    let input2 = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: i.input2)
    let output = unsafe block + Int(truncatingIfNeeded: i.output)
    let x = unsafe input.assumingMemoryBound(to: Float.self)
    let y = unsafe output.assumingMemoryBound(to: Float.self)
    switch Int(truncatingIfNeeded: i.code) {
    case RN_EMBEDDING:
      let row = unsafe Int(x[0])
      unsafe Elementwise.copy(
        (w + row &* vectorCount(size) &* vectorBytes).assumingMemoryBound(to: Float.self), size, y)
    case RN_AFFINE:
      unsafe Elementwise.map(input, weights: w, size, output) { rn_fma($0, $1, $2) }
    case RN_PRELU: unsafe Elementwise.prelu(w, input, size, output)
    case RN_CLIP:
      unsafe Elementwise.map(input, weights: w, size, output) { rn_between($0, $1, $2) }
    case RN_ELU: unsafe Elementwise.elu(w, input, size, output)
    case RN_LAYER_NORM: unsafe Elementwise.layerNorm(w, input, size, output)
    case RN_GATHER: unsafe Windows.gather(w, x, size, output)
    case RN_DEPTHWISE: unsafe Windows.depthwise(i, w, x, y)
    case RN_MAXIMUM: unsafe Windows.maximum(i, x, y)
    case RN_TANH:
      if i.fast != 0 {
        unsafe Elementwise.tanh(Fast(), input, size, output)
      } else {
        unsafe Elementwise.tanh(Exact(), input, size, output)
      }
    case RN_SIGMOID:
      if i.fast != 0 {
        unsafe Elementwise.fastSigmoid(input, size, output)
      } else {
        unsafe Elementwise.map(input, size, output) { sigmoid($0) }
      }
    case RN_RELU: unsafe Elementwise.map(input, size, output) { rn_relu($0) }
    case RN_SOFTMAX: unsafe Elementwise.softmax(input, size, output)
    case RN_SOFTPLUS: unsafe Elementwise.map(input, size, output) { softplus($0) }
    case RN_GELU: unsafe Elementwise.map(input, size, output) { gelu($0) }
    case RN_SQUARE_ROOT: unsafe Elementwise.map(input, size, output) { rn_square_root($0) }
    case RN_EXPONENTIAL: unsafe Elementwise.map(input, size, output) { wholeExponential($0) }
    case RN_LOGARITHM: unsafe Elementwise.map(input, size, output) { logarithm($0) }
    case RN_ERROR_FUNCTION: unsafe Elementwise.map(input, size, output) { errorFunction($0) }
    case RN_ADD: unsafe Elementwise.map(input, input2, size, output) { $0 + $1 }
    case RN_MULTIPLY: unsafe Elementwise.map(input, input2, size, output) { $0 * $1 }
    case RN_DIVIDE: unsafe Elementwise.map(input, input2, size, output) { $0 / $1 }
    case RN_STORE: unsafe Elementwise.map(input, size, output) { $0 }
    case RN_WINDOW: unsafe Windows.window(i, block, x, y)
    case RN_EVERY: return unsafe Windows.every(i, block)
    case RN_COPY: unsafe Elementwise.copy(x, Int(truncatingIfNeeded: i.inputSize), y)
    case RN_FILL: unsafe Elementwise.fill(Int(truncatingIfNeeded: i.inputSize), y)
    default: break
    }
    return true
  }
}
