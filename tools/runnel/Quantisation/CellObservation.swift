import Glibc
import Runnel

/// What an operation with matrices multiplied while frames went by, and how much each frame's
/// products meant.
struct CellObservation {
  let operation: ModelOperation
  /// The vectors that were multiplied: x, and h before the step (of a dense layer, none).
  private(set) var inputs: [Float] = []
  private(set) var hidden: [Float] = []
  /// c before the step, of an LSTM.
  private var cells: [Float] = []
  private(set) var frames = 0

  let inputSize: Int
  let hiddenSize: Int
  /// Rows of a gate, and of all.
  let gateSize: Int
  let rows: Int
  private let input: [Float]
  private let recurrent: [Float]
  private let bias: [Float]
  private let candidateBias: [Float]

  init(_ operation: ModelOperation, _ tensors: [TensorDescription]) {
    self.operation = operation
    let matrix = tensors[operation.tensors[0]]
    (rows, inputSize) = (matrix.shape[0], matrix.shape[1])
    input = matrix.values
    let isDense = operation.code == .dense
    recurrent = isDense ? [] : tensors[operation.tensors[1]].values
    hiddenSize = isDense ? 0 : tensors[operation.tensors[1]].shape[1]
    bias = tensors[operation.tensors[isDense ? 1 : 2]].values
    candidateBias =
      operation.code == .gruResetAfter ? tensors[operation.tensors[3]].values : []
    gateSize = isDense ? rows : hiddenSize
  }

  /// Adds a frame.
  mutating func add(input: ArraySlice<Double>, states: [[Double]]) {
    inputs += input.lazy.map { Float($0) }
    if hiddenSize > 0 { hidden += states[operation.states[0]].lazy.map { Float($0) } }
    if operation.code == .lstm { cells += states[operation.states[1]].lazy.map { Float($0) } }
    frames += 1
  }

  /// How a row's product changes the state.
  struct Row {
    /// What h is multiplied with before the product is added, frame by frame; empty where by 1.
    var hiddenFactors: [Float] = []
    /// The square of the state's derivative, frame by frame.
    var importance: [Float]
  }

  /// The row of a gate that changes a unit, as if all of its products meant the same.
  var plainRow: Row { Row(importance: [Float](repeating: 1, count: frames)) }

  /// The row of a gate that changes a unit.
  func row(gate: Int, unit: Int) -> Row {
    switch operation.code {
    case .lstm:
      return Row(
        importance: (0..<frames).map { frame in
          let g = (0..<4).map { sum(frame, $0 * gateSize + unit) }
          let (i, f, c, o) = (
            Self.sigmoid(g[0]), Self.sigmoid(g[1]), tanhf(g[2]), Self.sigmoid(g[3])
          )
          let old = cells[frame * hiddenSize + unit]
          let derivative =
            switch gate {
            case 0: c * i * (1 - i)
            case 1: old * f * (1 - f)
            case 2: i * (1 - c * c)
            default: tanhf(f * old + i * c) * o * (1 - o)
            }
          return derivative * derivative
        })
    case .gruResetAfter:
      var resets: [Float] = []
      let importance = (0..<frames).map { frame in
        let r = Self.sigmoid(sum(frame, unit))
        let z = Self.sigmoid(sum(frame, gateSize + unit))
        let candidate = 2 * gateSize + unit
        let recurrent = product(frame, candidate) + candidateBias[unit]
        let n = tanhf(inputProduct(frame, candidate) + bias[candidate] + r * recurrent)
        let old = hidden[frame * hiddenSize + unit]
        if gate == 2 { resets.append(r) }
        let derivative =
          switch gate {
          case 0: (1 - z) * (1 - n * n) * recurrent * r * (1 - r)
          case 1: (old - n) * z * (1 - z)
          default: (1 - z) * (1 - n * n)
          }
        return derivative * derivative
      }
      return Row(hiddenFactors: resets, importance: importance)
    default: return plainRow
    }
  }

  private func sum(_ frame: Int, _ row: Int) -> Float {
    inputProduct(frame, row) + product(frame, row) + bias[row]
  }

  private func inputProduct(_ frame: Int, _ row: Int) -> Float {
    Self.dot(inputs, frame * inputSize, input, row * inputSize, inputSize)
  }

  private func product(_ frame: Int, _ row: Int) -> Float {
    Self.dot(hidden, frame * hiddenSize, recurrent, row * hiddenSize, hiddenSize)
  }

  private static func dot(
    _ a: [Float], _ aStart: Int, _ b: [Float], _ bStart: Int, _ count: Int
  ) -> Float {
    var sum: Float = 0
    for k in 0..<count { sum += a[aStart + k] * b[bStart + k] }
    return sum
  }

  /// The vectors' second moments around their weighted mean, and that mean.
  ///
  /// - Returns: Shapes `[I + H, I + H]` and `[I + H]`.
  func moments(_ row: Row) -> (moments: [Double], means: [Double]) {
    let count = inputSize + hiddenSize
    let padded = (count + 15) & ~15
    // However little a frame means, it counts a little: other frames than these will come.
    let average = row.importance.reduce(0, +) / Float(max(1, frames))
    let shares = row.importance.map { average > 0 ? $0 / average + 0.1 : 1 }
    let total = shares.reduce(0, +)
    func fill(_ vector: inout [Float], _ frame: Int) {
      for k in 0..<inputSize { vector[k] = inputs[frame * inputSize + k] }
      let factor = row.hiddenFactors.isEmpty ? 1 : row.hiddenFactors[frame]
      for k in 0..<hiddenSize {
        vector[inputSize + k] = factor * hidden[frame * hiddenSize + k]
      }
    }
    var vector = [Float](repeating: 0, count: padded)
    var means = [Double](repeating: 0, count: count)
    for frame in 0..<frames {
      fill(&vector, frame)
      for k in 0..<count { means[k] += Double(shares[frame] * vector[k]) }
    }
    for k in 0..<count { means[k] /= Double(total) }
    var sums = [SIMD16<Float>](repeating: .zero, count: count * padded / 16)
    var lanes = [SIMD16<Float>](repeating: .zero, count: padded / 16)
    for frame in 0..<frames {
      fill(&vector, frame)
      for k in 0..<count { vector[k] -= Float(means[k]) }
      for k in lanes.indices {
        lanes[k] = SIMD16(vector[16 * k..<16 * k + 16])
      }
      let share = shares[frame] / total
      for line in 0..<count {
        let factor = share * vector[line]
        let start = line * lanes.count
        // The rest of the line follows from symmetry.
        for k in 0...line / 16 { sums[start + k] += factor * lanes[k] }
      }
    }
    var moments = [Double](repeating: 0, count: count * count)
    for line in 0..<count {
      for column in 0...line {
        let sum = Double(sums[line * lanes.count + column / 16][column % 16])
        moments[line * count + column] = sum
        moments[column * count + line] = sum
      }
    }
    return (moments, means)
  }

  private static func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
}
