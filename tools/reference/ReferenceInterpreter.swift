import Glibc
package import Runnel

/// Runs a model in Double, one number at a time, straight from the equations of its operations.
///
/// It shares nothing with the kernels, so that they can be checked against it. It is slow, and it
/// takes a valid model for granted.
///
/// Products with smaller weights come in two kinds: of the numbers that the model says, which is what
/// a stream's deviation is measured from, or with the vectors rounded as the runtime rounds them,
/// which is what its kernels must give.
package struct ReferenceInterpreter {
  package let model: ModelDescription
  /// The values of the tensors, row-major.
  private let tensors: [[Double]]
  private let roundsOperands: Bool
  /// The values of the states, in the model's order.
  package var states: [[Double]] = []
  /// How far the elements of each state may be from the runtime's after the last step, because a
  /// vector that is itself a result, within ±3e-7, was to be rounded almost halfway between two numbers.
  package private(set) var doubts: [[Double]] = []

  /// An interpreter whose states are reset.
  ///
  /// - Parameter roundsOperands: Whether vectors are rounded for products with bfloat16 and int8.
  package init(_ model: ModelDescription, roundsOperands: Bool = false) {
    self.model = model
    self.tensors = model.tensors.map(\.doubles)
    self.roundsOperands = roundsOperands
    reset()
  }

  /// Sets every state to its initial tensor, or to zeros.
  package mutating func reset() {
    states = model.states.map { state in
      state.initial.map { tensors[$0] } ?? [Double](repeating: 0, count: state.size)
    }
    doubts = model.states.map { [Double](repeating: 0, count: $0.size) }
  }

  /// Runs a program on one frame, and gives its outputs side by side; nothing where the step ends before
  /// there are any.
  package mutating func step(program number: Int = 0, frame: [Double]) -> [Double] {
    let program = model.programs[number]
    var slots = inputs(of: program, frame)
    guard advance(program.operations, &slots) else { return [] }
    return program.outputs.flatMap { slots[$0.slot] }
  }

  /// Runs a program on frames that stand one behind the other, and gives all predictions.
  package mutating func run(program number: Int = 0, frames: [Float]) -> [Double] {
    let program = model.programs[number]
    let frameSize = program.inputs.reduce(0) { $0 + $1.width }
    let frames = stride(from: 0, to: frames.count, by: frameSize).map {
      frames[$0..<$0 + frameSize].map(Double.init)
    }
    guard program.operations.contains(where: { $0.code == .reverse }) else {
      return frames.flatMap { step(program: number, frame: $0) }
    }
    // What stands before a `reverse` runs for all frames before what stands behind it does.
    var slots = frames.map { inputs(of: program, $0) }
    for part in program.operations.split(
      omittingEmptySubsequences: false, whereSeparator: { $0.code == .reverse })
    {
      for frame in slots.indices { _ = advance(part, &slots[frame]) }
      guard part.endIndex < program.operations.endIndex else { break }
      let operand = program.operations[part.endIndex].operands[0]
      for (frame, value) in slots.map({ $0[operand] }).reversed().enumerated() {
        slots[frame].append(value)
      }
    }
    return slots.flatMap { slots in program.outputs.flatMap { slots[$0.slot] } }
  }

  /// The slots of a frame's parts.
  private func inputs(of program: ProgramDescription, _ frame: [Double]) -> [[Double]] {
    var column = 0
    let slots = program.inputs.map { input in
      defer { column += input.width }
      return [Double](frame[column..<column + input.width])
    }
    precondition(column == frame.count, "The frame has not the size of the program's inputs.")
    return slots
  }

  /// Runs operations, whose results it adds to the slots, up to one that ends the step; says whether
  /// there was none.
  private mutating func advance(
    _ operations: some Sequence<ModelOperation>, _ slots: inout [[Double]]
  ) -> Bool {
    let before = states
    for operation in operations {
      if operation.code == .every {
        let left = before[operation.states[0]][0]
        states[operation.states[0]] = [left < 0.5 ? Double(operation.stride - 1) : left - 1]
        guard left < 0.5 else { return false }
      }
      slots.append(
        operation.code == .recall ? before[operation.states[0]] : result(of: operation, slots))
    }
    return true
  }

  private mutating func result(of operation: ModelOperation, _ slots: [[Double]]) -> [Double] {
    let x = slots[operation.operands[0]]
    let t = operation.tensors.map { tensors[$0] }
    switch operation.code {
    case .rnnTanh: return rnn(operation, x, t, tanh)
    case .rnnReLU: return rnn(operation, x, t) { max($0, 0) }
    case .lstm: return lstm(operation, x, t)
    case .gruResetAfter: return gruResetAfter(operation, x, t)
    case .gruResetBefore: return gruResetBefore(operation, x, t)
    case .dense:
      let x = rounding(of: operation)(x)
      return t[1].indices.map { t[1][$0] + dot(t[0], row: $0, x) }
    case .embedding:
      let size = model.tensors[operation.tensors[0]].shape[1]
      return [Double](t[0][Int(x[0]) * size..<(Int(x[0]) + 1) * size])
    case .affine: return x.indices.map { x[$0] * t[0][$0] + t[1][$0] }
    case .prelu: return x.indices.map { max(x[$0], 0) + t[0][$0] * min(x[$0], 0) }
    case .clip: return x.indices.map { max(min(x[$0], t[1][$0]), t[0][$0]) }
    case .elu: return x.indices.map { max(x[$0], 0) + t[0][$0] * expm1(min(x[$0], 0)) }
    case .layerNorm:
      let mean = x.reduce(0, +) / Double(x.count)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
      let deviation = (variance + t[2][0]).squareRoot()
      return x.indices.map { (x[$0] - mean) / deviation * t[0][$0] + t[1][$0] }
    case .gather: return t[0].map { $0 < 0 ? 0 : x[Int($0)] }
    case .convolution:
      let shape = model.tensors[operation.tensors[0]].shape
      return windows(of: x, operation, size: shape[1]).flatMap { window in
        let window = rounding(of: operation)(window)
        return t[1].indices.map { t[1][$0] + dot(t[0], row: $0, window) }
      }
    case .depthwise:
      let (rows, columns) = (t[0].count / t[1].count, t[1].count)
      return windows(of: x, operation, size: rows * columns).flatMap { window in
        (0..<columns).map { column in
          (0..<rows).reduce(t[1][column]) {
            $0 + t[0][$1 * columns + column] * window[$1 * columns + column]
          }
        }
      }
    case .maximum:
      let (rows, columns) = (operation.count, operation.width)
      return windows(of: x, operation, size: rows * columns).flatMap { window in
        (0..<columns).map { column in (0..<rows).map { window[$0 * columns + column] }.max()! }
      }
    case .window:
      let past = states[operation.states[0]] + x
      states[operation.states[0]] = [Double](past.dropFirst(x.count))
      return stride(from: 0, to: past.count, by: x.count * operation.dilation).flatMap {
        past[$0..<$0 + x.count]
      }
    case .every: return x
    case .reverse: preconditionFailure("reverse is no operation of a frame")
    case .tanh: return x.map(tanh)
    case .sigmoid: return x.map(sigmoid)
    case .relu: return x.map { max($0, 0) }
    case .softmax:
      let largest = x.max()!
      let powers = x.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    case .softplus: return x.map { max($0, 0) + log1p(exp(-abs($0))) }
    case .gelu: return x.map { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 }
    case .squareRoot: return x.map { $0.squareRoot() }
    case .exponential: return x.map(exp)
    case .logarithm: return x.map(log)
    case .errorFunction: return x.map(erf)
    case .add: return zip(x, slots[operation.operands[1]]).map { $0 + $1 }
    case .multiply: return zip(x, slots[operation.operands[1]]).map { $0 * $1 }
    case .divide: return zip(x, slots[operation.operands[1]]).map { $0 / $1 }
    case .recall: preconditionFailure("recall has no operands")
    case .store:
      states[operation.states[0]] = x
      return x
    case .concatenate: return operation.operands.flatMap { slots[$0] }
    }
  }

  /// The parts of x that an operation sees one after the other.
  private func windows(of x: [Double], _ operation: ModelOperation, size: Int) -> [[Double]] {
    stride(from: 0, through: x.count - size, by: operation.stride).map {
      [Double](x[$0..<$0 + size])
    }
  }

  // Below, x and h are the vectors of products; what is not multiplied with a matrix is not rounded.

  // h' = f(W_ih x + W_hh h + b)
  private mutating func rnn(
    _ operation: ModelOperation, _ x: [Double], _ t: [[Double]], _ activation: (Double) -> Double
  ) -> [Double] {
    let state = operation.states[0]
    let (x, h) = operands(of: operation, x)
    states[state] = h.indices.map { j in
      activation(t[2][j] + dot(t[0], row: j, x) + dot(t[1], row: j, h))
    }
    return states[state]
  }

  // i, f, o = σ(W_ih x + W_hh h + b), g = tanh(…), c' = f c + i g, h' = o tanh(c')
  private mutating func lstm(
    _ operation: ModelOperation, _ x: [Double], _ t: [[Double]]
  ) -> [Double] {
    let (hidden, cell) = (operation.states[0], operation.states[1])
    let (x, h) = operands(of: operation, x)
    let c = states[cell]
    for j in h.indices {
      let gates = (0..<4).map { gate in
        let row = gate * h.count + j
        return t[2][row] + dot(t[0], row: row, x) + dot(t[1], row: row, h)
      }
      let (i, f, g, o) = (sigmoid(gates[0]), sigmoid(gates[1]), tanh(gates[2]), sigmoid(gates[3]))
      states[cell][j] = f * c[j] + i * g
      states[hidden][j] = o * tanh(states[cell][j])
    }
    return states[hidden]
  }

  // r, z = σ(W_ih x + W_hh h + b), n = tanh(W_in x + b_n + r (W_hn h + c_n)),
  // h' = (1 - z) n + z h
  private mutating func gruResetAfter(
    _ operation: ModelOperation, _ x: [Double], _ t: [[Double]]
  ) -> [Double] {
    let state = operation.states[0]
    let old = states[state]
    let (x, h) = operands(of: operation, x)
    states[state] = h.indices.map { j in
      let (reset, update, candidate) = (j, h.count + j, 2 * h.count + j)
      let r = sigmoid(t[2][reset] + dot(t[0], row: reset, x) + dot(t[1], row: reset, h))
      let z = sigmoid(t[2][update] + dot(t[0], row: update, x) + dot(t[1], row: update, h))
      let recurrent = dot(t[1], row: candidate, h) + t[3][j]
      let n = tanh(t[2][candidate] + dot(t[0], row: candidate, x) + r * recurrent)
      return (1 - z) * n + z * old[j]
    }
    return states[state]
  }

  // r, z = σ(W_ih x + W_hh h + b), n = tanh(W_in x + W_hn (r h) + b_n), h' = (1 - z) n + z h
  private mutating func gruResetBefore(
    _ operation: ModelOperation, _ x: [Double], _ t: [[Double]]
  ) -> [Double] {
    let state = operation.states[0]
    let old = states[state]
    let (x, h) = operands(of: operation, x)
    let product = h.indices.map { j in
      sigmoid(t[2][j] + dot(t[0], row: j, x) + dot(t[1], row: j, h)) * old[j]
    }
    let rounding = rounding(of: operation)
    let bound = hiddenBound(of: operation)
    let resetHidden = rounding(product, bound: bound)
    let open = rounding.doubts(product, error: 3e-7, bound: bound).enumerated().filter { $1 > 0 }
    doubts[state] = h.indices.map { j in
      let row = (2 * h.count + j) * h.count
      return open.reduce(0) { $0 + $1.element * abs(t[1][row + $1.offset]) }
    }
    states[state] = h.indices.map { j in
      let (update, candidate) = (h.count + j, 2 * h.count + j)
      let z = sigmoid(t[2][update] + dot(t[0], row: update, x) + dot(t[1], row: update, h))
      let n = tanh(
        t[2][candidate] + dot(t[0], row: candidate, x) + dot(t[1], row: candidate, resetHidden))
      return (1 - z) * n + z * old[j]
    }
    return states[state]
  }

  private func rounding(of operation: ModelOperation) -> OperandRounding {
    roundsOperands ? OperandRounding(operation, model.tensors) : .none
  }

  /// The vectors of a cell's products: of the input, and of the hidden state.
  private func operands(
    of operation: ModelOperation, _ x: [Double]
  ) -> (x: [Double], h: [Double]) {
    let rounding = rounding(of: operation)
    let h = states[operation.states[0]]
    return (rounding(x), rounding(h, bound: hiddenBound(of: operation)))
  }

  /// The largest magnitude that the hidden state can have: 1, or that of its initial values, where
  /// each operation that changes it gives a mean of tanh and the state before.
  ///
  /// `nil` where there is none, or where it is not asked for, as no vector is rounded.
  private func hiddenBound(of operation: ModelOperation) -> Float? {
    guard roundsOperands else { return nil }
    let state = operation.states[0]
    let isBounded = model.programs.lazy.flatMap(\.operations).allSatisfy {
      !$0.writtenStates.contains(state) || $0.hasActivations && $0.states[0] == state
    }
    guard isBounded else { return nil }
    let initial = model.states[state].initial.map { tensors[$0] } ?? []
    return initial.reduce(1) { max($0, Float($1.magnitude)) }
  }

  /// The product of a row of a matrix, shape `[…, x.count]`, and a vector.
  private func dot(_ matrix: [Double], row: Int, _ x: [Double]) -> Double {
    precondition(row >= 0 && (row + 1) * x.count <= matrix.count)
    // Sums side by side, because hours of frames go through here and an addition waits for the one
    // before.
    var sums = SIMD8<Double>.zero
    var sum = 0.0
    unsafe matrix.withUnsafeBytes { matrix in
      unsafe x.withUnsafeBytes { x in
        let (start, count) = (row * x.count, x.count / 8)
        // SAFETY: the row lies within the matrix, as checked above.
        var column = 0
        while column + 8 <= count {
          let weights = unsafe matrix.loadUnaligned(
            fromByteOffset: start + 8 * column, as: SIMD8<Double>.self)
          let values = unsafe x.loadUnaligned(
            fromByteOffset: 8 * column, as: SIMD8<Double>.self)
          sums += weights * values
          column += 8
        }
        while column < count {
          sum +=
            unsafe matrix.loadUnaligned(fromByteOffset: start + 8 * column, as: Double.self)
            * x.loadUnaligned(fromByteOffset: 8 * column, as: Double.self)
          column += 1
        }
      }
    }
    return sum + sums.sum()
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
