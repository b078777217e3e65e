import Runnel
import RunnelReference

/// int8 weights that are rounded so that their errors cancel on frames as they come.
///
/// - A row's weights are rounded together (``JointRounding``), weighted by how much each product
///   changes the state, and the mean of what is left goes to the bias.
/// - An input that is small beside its cell has nothing to cancel its errors, and costs little: it
///   comes twice, as x and x / 127, and each of its weights is two integers.
/// - A dense layer with few rows stays as it is.
///
/// The GRU with its reset before the product, and a matrix that several operations share, are
/// rounded number by number.
struct Calibration {
  /// So many times fewer is few.
  private static let few = 4
  /// Up to so many columns each row has moments of its own.
  private static let mostOwnColumns = 256
  /// The frames that are looked at.
  static let mostFrames = 20_000
  private static let fine = 127

  private let source: ModelDescription
  private var observations: [[Int: CellObservation]]
  /// The frames that were looked at.
  let frames: Int

  /// Streams frames through the reference.
  ///
  /// - Throws: The first fault of a description that is not valid.
  init(_ source: ModelDescription, over frames: inout FrameSource) throws(ModelError) {
    self.source = source
    let shapes = try source.validate()
    self.frames = min(frames.count, Self.mostFrames)
    let uses = source.programs.flatMap { $0.operations.flatMap(\.matrices) }
    observations = source.programs.map { program in
      var found: [Int: CellObservation] = [:]
      for (index, operation) in program.operations.enumerated()
      where operation.hasMatrices && operation.code != .gruResetBefore
        && operation.code != .convolution
        && operation.matrices.allSatisfy({ matrix in uses.count { $0 == matrix } == 1 })
      {
        found[index] = CellObservation(operation, source.tensors)
      }
      return found
    }
    // Gives out what every operation computes.
    var observed = source
    for (number, program) in source.programs.enumerated() {
      observed.programs[number].outputs = program.operations.indices.map {
        OutputPort(name: "", slot: program.inputs.count + $0)
      }
    }
    var reference = ReferenceInterpreter(observed)
    for _ in 0..<self.frames {
      let (number, resets) = frames.next()
      if resets { reference.reset() }
      let before = reference.states
      let frame = frames.frame.map(Double.init)
      let results = reference.step(program: number, frame: frame)
      // Nothing came out of a step that ended early.
      if results.isEmpty { continue }
      let program = source.programs[number]
      var values = frame + results
      // Where each slot starts.
      var starts = [0]
      for size in shapes[number].slotSizes { starts.append(starts.last! + size) }
      precondition(values.count == starts.last!)
      for index in observations[number].keys {
        let slot = program.operations[index].operands[0]
        observations[number][index]!.add(
          input: values[starts[slot]..<starts[slot + 1]], states: before)
      }
      values.removeAll(keepingCapacity: true)
    }
  }

  /// The converted model.
  ///
  /// - Parameter progress: Called now and then with the share of rows that are done.
  func converted(inputBits: Int, progress: (Double) -> Void) -> ModelDescription {
    var description = source.converted(to: .int8, inputBits: inputBits)
    let all = observations.joined().reduce(0) { $0 + $1.value.rows }
    var done = 0
    for number in source.programs.indices {
      // From the end, so that what is put in moves no operation that is still to come.
      for (index, observation) in observations[number].sorted(by: { $0.key > $1.key })
      where observation.frames > 0 {
        if observation.operation.code == .dense,
          observation.rows * Self.few <= observation.inputSize
        {
          let matrix = observation.operation.tensors[0]
          description.tensors[matrix] = source.tensors[matrix].converted(to: .float32)
          description.programs[number].operations[index].inputBits = 16
          done += observation.rows
          continue
        }
        let comesTwice =
          observation.hiddenSize > 0
          && observation.inputSize * Self.few <= observation.hiddenSize
        round(observation, comesTwice: comesTwice, in: &description) { rows in
          progress(Double(done + rows) / Double(max(1, all)))
        }
        done += observation.rows
        if comesTwice { description.repeatInput(of: index, program: number, by: Self.fine) }
      }
    }
    return description
  }

  private func round(
    _ observation: CellObservation, comesTwice: Bool, in description: inout ModelDescription,
    progress: (Int) -> Void
  ) {
    let operation = observation.operation
    let (inputSize, hiddenSize) = (observation.inputSize, observation.hiddenSize)
    let matrices = operation.matrices.map { source.tensors[$0].values.map(Double.init) }
    let scales = operation.matrices.map { description.tensors[$0].scales }
    let biasTensor = operation.tensors[operation.code == .dense ? 1 : 2]
    var bias = source.tensors[biasTensor].values
    let candidateTensor = operation.code == .gruResetAfter ? operation.tensors[3] : nil
    var candidateBias = candidateTensor.map { source.tensors[$0].values } ?? []
    var input: [Int8] = []
    var recurrent: [Int8] = []
    let limits =
      [Int](repeating: comesTwice ? Self.fine * Self.fine : 127, count: inputSize)
      + [Int](repeating: 127, count: hiddenSize)
    let ownMoments = inputSize + hiddenSize <= Self.mostOwnColumns
    let common = ownMoments ? nil : observation.moments(observation.plainRow)
    for row in 0..<observation.rows {
      let (gate, unit) = row.quotientAndRemainder(dividingBy: observation.gateSize)
      // All rows of a dense layer mean the same.
      let kind =
        ownMoments && operation.code != .dense
        ? observation.row(gate: gate, unit: unit) : observation.plainRow
      let (moments, means) = common ?? observation.moments(kind)
      let inputScale = Double(scales[0][row])
      let steps =
        [Double](
          repeating: comesTwice ? inputScale / Double(Self.fine) : inputScale, count: inputSize)
        + [Double](repeating: hiddenSize > 0 ? Double(scales[1][row]) : 0, count: hiddenSize)
      var weights = Array(matrices[0][row * inputSize..<(row + 1) * inputSize])
      if hiddenSize > 0 { weights += matrices[1][row * hiddenSize..<(row + 1) * hiddenSize] }
      let multiples = JointRounding(moments: moments, steps: steps)(
        weights, steps: steps, limits: limits)
      let shifts = multiples.indices.map { k in
        (Double(multiples[k]) * steps[k] - weights[k]) * means[k]
      }
      let inputShift = shifts[..<inputSize].reduce(0, +)
      let hiddenShift = shifts[inputSize...].reduce(0, +)
      if candidateTensor != nil, gate == 2, kind.hiddenFactors.isEmpty {
        bias[row] -= Float(inputShift)
        candidateBias[unit] -= Float(hiddenShift)
      } else {
        bias[row] -= Float(inputShift + hiddenShift)
      }
      if comesTwice {
        let coarse = multiples[..<inputSize].map { multiple in
          Int((Double(multiple) / Double(Self.fine)).rounded())
        }
        input += coarse.map { Int8($0) }
        input += zip(multiples, coarse).map { Int8($0 - Self.fine * $1) }
      } else {
        input += multiples[..<inputSize].map { Int8($0) }
      }
      recurrent += multiples[inputSize...].map { Int8($0) }
      progress(row)
    }
    let matrix = operation.tensors[0]
    description.tensors[matrix].storage = .int8(input, scales: scales[0])
    if comesTwice { description.tensors[matrix].shape[1] = 2 * inputSize }
    if hiddenSize > 0 {
      description.tensors[operation.tensors[1]].storage = .int8(recurrent, scales: scales[1])
    }
    description.tensors[biasTensor].storage = .float32(bias)
    if let candidateTensor {
      description.tensors[candidateTensor].storage = .float32(candidateBias)
    }
  }
}

extension TensorDescription {
  /// The scales of the rows of an int8 matrix.
  fileprivate var scales: [Float] {
    guard case .int8(_, let scales) = storage else { preconditionFailure("not int8") }
    return scales
  }
}

extension ModelDescription {
  /// Puts an operation's operand x beside x / `divisor`, by two operations before it.
  fileprivate mutating func repeatInput(of index: Int, program number: Int, by divisor: Int) {
    let size = tensors[programs[number].operations[index].tensors[0]].shape[1] / 2
    let name = tensors[programs[number].operations[index].tensors[0]].name
    tensors.append(
      TensorDescription(
        name: "\(name).fine", shape: [size],
        values: [Float](repeating: 1 / Float(divisor), count: size)))
    tensors.append(
      TensorDescription(
        name: "\(name).fineShift", shape: [size], values: [Float](repeating: 0, count: size)))
    let slot = programs[number].inputs.count + index
    for later in programs[number].operations.indices where later >= index {
      for place in programs[number].operations[later].operands.indices
      where programs[number].operations[later].operands[place] >= slot {
        programs[number].operations[later].operands[place] += 2
      }
    }
    for output in programs[number].outputs.indices
    where programs[number].outputs[output].slot >= slot {
      programs[number].outputs[output].slot += 2
    }
    let operand = programs[number].operations[index].operands[0]
    programs[number].operations.insert(
      contentsOf: [
        .affine(input: operand, scale: tensors.count - 2, shift: tensors.count - 1),
        .concatenate([operand, slot]),
      ], at: index)
    programs[number].operations[index + 2].operands[0] = slot + 1
  }
}
