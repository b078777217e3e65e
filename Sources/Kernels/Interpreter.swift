package import CKernelShims

/// Runs compiled programs.
package enum Interpreter {
  /// Runs one step: checks and takes in the frame, runs the instructions, checks the next states
  /// and the prediction, gives out the prediction.
  ///
  /// The caller makes the next states the current ones when the result is `RN_DONE`; in any
  /// other case nothing that counts has changed, and the prediction is untouched.
  @_noAllocation @_noLocks
  package static func step(
    _ program: UnsafePointer<rn_program>, block: UnsafeMutableRawPointer,
    weights: UnsafeRawPointer, frame: UnsafePointer<Float>,
    prediction: UnsafeMutablePointer<Float>
  ) -> Int {
    let program = unsafe program.pointee
    let taken = unsafe take(program, frame, block)
    if taken != RN_DONE { return taken }
    var instruction = unsafe program.instructions!
    let end = unsafe instruction + Int(truncatingIfNeeded: program.instructionCount)
    while unsafe instruction < end {
      unsafe run(instruction, block, weights)
      unsafe instruction += 1
    }
    return unsafe give(program, block, prediction)
  }

  /// Checks the frame and writes its parts to their slots, magnitudes below the threshold as zeros.
  @inline(always)
  static func take(
    _ program: rn_program, _ frame: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer
  ) -> Int {
    var port = unsafe program.inputs!
    let end = unsafe port + Int(truncatingIfNeeded: program.inputCount)
    var bad = SIMD16<Int32>.zero
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
        unsafe slot.storeBytes(of: index, as: Float.self)
      } else {
        var k = 0
        while k < width {
          let count = Int32(truncatingIfNeeded: min(16, width &- k))
          let values = unsafe rn_load_first(x + k, count)
          bad |= rn_nonfinite(values)
          unsafe store(flush(values), slot, k &>> 4)
          k &+= 16
        }
      }
      unsafe port += 1
    }
    guard rn_any(bad) != 0 else { return RN_DONE }
    var k = 0
    while unsafe frame[k].isFinite { k &+= 1 }
    return result(RN_NONFINITE_INPUT, at: k)
  }

  /// A result in one word: its kind in the upper half, an index in the lower.
  @inline(always)
  static func result(_ kind: Int, at index: Int) -> Int { kind &<< 32 | index }

  /// Checks that the next states and the prediction are finite, and writes the prediction.
  @inline(always)
  static func give(
    _ program: rn_program, _ block: UnsafeMutableRawPointer,
    _ prediction: UnsafeMutablePointer<Float>
  ) -> Int {
    let outputs = unsafe program.outputs!
    let end = unsafe outputs + Int(truncatingIfNeeded: program.outputCount)
    let states = unsafe program.nextStates!
    let badStates = unsafe nonFinite(
      states, states + Int(truncatingIfNeeded: program.stateCount), block)
    let bad = unsafe badStates | nonFinite(outputs, end, block)
    if rn_any(bad) != 0 { return result(RN_NONFINITE_RESULT, at: 0) }
    var port = unsafe outputs
    while unsafe port < end {
      let slot = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: port.pointee.slot)
      unsafe Elementwise.copy(
        slot.assumingMemoryBound(to: Float.self), Int(truncatingIfNeeded: port.pointee.width),
        prediction + Int(truncatingIfNeeded: port.pointee.first))
      unsafe port += 1
    }
    return RN_DONE
  }

  /// A mask with a bit set for any number that is not finite in the given parts of the block.
  ///
  /// The elements that fill up a part's last vector do not count: they may hold anything.
  @inline(always)
  static func nonFinite(
    _ parts: UnsafePointer<rn_output>, _ end: UnsafePointer<rn_output>,
    _ block: UnsafeMutableRawPointer
  ) -> SIMD16<Int32> {
    var bad = SIMD16<Int32>.zero
    var part = unsafe parts
    while unsafe part < end {
      let slot = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: part.pointee.slot)
      let width = unsafe Int(truncatingIfNeeded: part.pointee.width)
      var k = 0
      while k < width {
        let rest = Int32(truncatingIfNeeded: width &- k)
        bad |= unsafe rn_nonfinite(rn_keep_first(load(slot, k &>> 4), rest, 0))
        k &+= 16
      }
      unsafe part += 1
    }
    return bad
  }

  @inline(always)
  static func run(
    _ instruction: UnsafePointer<rn_instruction>, _ block: UnsafeMutableRawPointer,
    _ weights: UnsafeRawPointer
  ) {
    let i = unsafe instruction.pointee
    let w = unsafe weights + Int(truncatingIfNeeded: i.weights)
    let inputSize = Int(truncatingIfNeeded: i.inputSize)
    let size = Int(truncatingIfNeeded: i.size)
    let input = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: i.input)
    let input2 = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: i.input2)
    let output = unsafe block + Int(truncatingIfNeeded: i.output)
    let x = unsafe input.assumingMemoryBound(to: Float.self)
    let hidden = unsafe UnsafeRawPointer(block) + Int(truncatingIfNeeded: i.hidden)
    let h = unsafe hidden.assumingMemoryBound(to: Float.self)
    switch Int(truncatingIfNeeded: i.code) {
    case RN_LSTM:
      unsafe LSTM.step(
        w, x: x, inputSize: inputSize, h: h, hiddenSize: size,
        c: block + Int(truncatingIfNeeded: i.cell), nextH: output,
        nextC: block + Int(truncatingIfNeeded: i.nextCell))
    case RN_GRU_RESET_AFTER:
      unsafe GRUResetAfter.step(
        w, x: x, inputSize: inputSize, h: h, hiddenSize: size, nextH: output)
    case RN_GRU_RESET_BEFORE:
      unsafe GRUResetBefore.step(
        w, x: x, inputSize: inputSize, h: h, hiddenSize: size,
        scratch: block + Int(truncatingIfNeeded: i.scratch), nextH: output)
    case RN_RNN_TANH:
      unsafe rows(w, x, inputSize, h, size, output)
      unsafe Elementwise.map(UnsafeRawPointer(output), size, output) { tanh($0) }
    case RN_RNN_RELU:
      unsafe rows(w, x, inputSize, h, size, output)
      unsafe Elementwise.map(UnsafeRawPointer(output), size, output) { rn_relu($0) }
    case RN_DENSE:
      unsafe Rows.product(
        w, x: x, inputSize: inputSize, h: x, hiddenSize: 0, blocks: vectorCount(size), output)
    case RN_EMBEDDING:
      let row = unsafe Int(x[0])
      unsafe Elementwise.copy(
        (w + row &* vectorCount(size) &* vectorBytes).assumingMemoryBound(to: Float.self), size,
        output.assumingMemoryBound(to: Float.self))
    case RN_AFFINE: unsafe Elementwise.affine(w, input, size, output)
    case RN_TANH: unsafe Elementwise.map(input, size, output) { tanh($0) }
    case RN_SIGMOID: unsafe Elementwise.map(input, size, output) { sigmoid($0) }
    case RN_RELU: unsafe Elementwise.map(input, size, output) { rn_relu($0) }
    case RN_SOFTMAX: unsafe Elementwise.softmax(input, size, output)
    case RN_ADD: unsafe Elementwise.map(input, input2, size, output) { $0 + $1 }
    case RN_MULTIPLY: unsafe Elementwise.map(input, input2, size, output) { $0 * $1 }
    case RN_COPY:
      unsafe Elementwise.copy(x, inputSize, output.assumingMemoryBound(to: Float.self))
    default: break
    }
  }

  @inline(always)
  static func rows(
    _ w: UnsafeRawPointer, _ x: UnsafePointer<Float>, _ inputSize: Int,
    _ h: UnsafePointer<Float>, _ size: Int, _ output: UnsafeMutableRawPointer
  ) {
    unsafe Rows.product(
      w, x: x, inputSize: inputSize, h: h, hiddenSize: size, blocks: vectorCount(size), output)
  }
}
