import Runnel
import TestSupport
import Testing

/// Every form of smaller weights.
enum SmallWeights: CaseIterable, Sendable, CustomTestStringConvertible {
  case float16, bfloat16, int8, narrowInt8

  var testDescription: String {
    switch self {
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .int8: "int8, 16-bit vectors"
    case .narrowInt8: "int8, 8-bit vectors"
    }
  }

  func callAsFunction(_ model: ModelDescription) -> ModelDescription {
    switch self {
    case .float16: model.converted(to: .float16)
    case .bfloat16: model.converted(to: .bfloat16)
    case .int8: model.converted(to: .int8)
    case .narrowInt8: model.converted(to: .int8, inputBits: 8)
    }
  }
}

/// Products with smaller weights against the reference that rounds vectors in the same way.
///
/// A rounding decision that falls the other way is worth a whole step of an 8-bit integer, so that
/// free streams drift apart by more than any tight tolerance. Therefore every step is held to the
/// reference that starts from the runtime's own hidden state: vectors are then the same in every bit,
/// so are the decisions, and what is left are the errors of 32-bit sums and activations.
///
/// Only the vector r ⊙ h of a reset-before GRU is a result of the step itself, whose last bits differ.
/// Where one of its elements is so near to halfway that they decide, the reference says what that
/// decision is worth (``ReferenceInterpreter/doubts``), and so much more is allowed.
@Suite struct WeightTypeTests {
  static let inputSizes = [1, 3, 17]
  static let frameCount = 100
  /// The largest deviation that was measured is 4.1e-7.
  ///
  /// One wrong decision is worth a step of 16 bits times a weight, mostly more than 1e-6 at 130 units.
  static let tolerance = 5e-7

  /// What has matrices: a cell of `size` units, or a dense layer of so many rows or columns.
  enum Layer: CaseIterable, Sendable {
    case rnnTanh, rnnReLU, lstm, gruResetAfter, gruResetBefore, denseRows, denseColumns

    func model(inputSize: Int, size: Int) -> ModelDescription {
      let seed = UInt64(1000 * inputSize + size)
      let cell: Cell
      switch self {
      case .rnnTanh: cell = .rnnTanh
      case .rnnReLU: cell = .rnnReLU
      case .lstm: cell = .lstm
      case .gruResetAfter: cell = .gruResetAfter
      case .gruResetBefore: cell = .gruResetBefore
      case .denseRows: return RandomModels.dense(columns: inputSize, rows: size, seed: seed)
      case .denseColumns: return RandomModels.dense(columns: size, rows: inputSize, seed: seed)
      }
      return RandomModels.stack(cell, inputSize: inputSize, hiddenSize: size, seed: seed)
    }
  }

  @Test(arguments: Layer.allCases, SmallWeights.allCases)
  func `every step is that of the reference at every size, and V3 and V4 agree in every bit`(
    layer: Layer, weights: SmallWeights
  ) throws {
    for inputSize in Self.inputSizes {
      for size in 1...130 {
        let description = weights(layer.model(inputSize: inputSize, size: size))
        let frames = RandomModels.frames(
          Self.frameCount, of: description.programs[0], seed: UInt64(size))
        var wide: [Float] = []
        for level in InstructionLevel.available.reversed() {
          let predictions = try predictions(description, frames, level)
          if level == .v3, !wide.isEmpty {
            #expect(
              predictions.map(\.bitPattern) == wide.map(\.bitPattern),
              "\(inputSize) × \(size): V3 and V4 differ")
            continue
          }
          if level == .v4 { wide = predictions }
          let deviation = largestDeviation(of: predictions, from: description, frames)
          #expect(deviation <= Self.tolerance, "\(inputSize) × \(size), \(level)")
        }
      }
    }
  }

  /// What a kernel could get wrong, as a change to the model that would give the same.
  enum Mistake: CaseIterable, Sendable {
    case scalesOfTwoRows, columnsOfAPair, signOfAWeight, offsetOfVectors

    func make(in model: inout ModelDescription) {
      for matrix in 0...1 {
        guard case .int8(var integers, var scales) = model.tensors[matrix].storage else { return }
        let columns = model.tensors[matrix].shape[1]
        switch self {
        case .scalesOfTwoRows: scales.swapAt(3, 4)
        case .columnsOfAPair:
          for row in scales.indices { integers.swapAt(row * columns, row * columns + 1) }
        case .signOfAWeight: integers[integers.firstIndex(of: -127)!] = 127
        case .offsetOfVectors:
          // A row that is not freed from the 128 that is added to each element of the vector.
          let sum = integers[..<columns].reduce(0) { $0 + Int($1) }
          guard case .float32(var bias) = model.tensors[2].storage else { return }
          bias[0] += 128 / 127 * scales[0] * Float(sum)
          model.tensors[2].storage = .float32(bias)
        }
        model.tensors[matrix].storage = .int8(integers, scales: scales)
      }
    }
  }

  @Test(
    arguments: Mistake.allCases,
    [Layer.rnnTanh, .rnnReLU, .lstm, .gruResetAfter, .gruResetBefore])
  func `a mistake in a row would be noticed`(mistake: Mistake, layer: Layer) throws {
    for weights in [SmallWeights.int8, .narrowInt8] {
      for size in [9, 33, 130] {
        let right = weights(layer.model(inputSize: 3, size: size))
        let frames = RandomModels.frames(Self.frameCount, of: right.programs[0], seed: 1)
        var wrong = right
        mistake.make(in: &wrong)
        let predictions = try predictions(wrong, frames, .best)
        let deviation = largestDeviation(of: predictions, from: right, frames)
        #expect(deviation > 10 * Self.tolerance, "\(weights), \(size) units")
      }
    }
  }

  @Test func `the reference rounds vectors as the types say`() {
    // The first column has the weight 1; the second, with the weight 0, is the largest element.
    let model = ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: 2)],
          operations: [.dense(input: 0, weights: 0, bias: 1)],
          outputs: [OutputPort(name: "y", slot: 1)])
      ],
      tensors: [
        TensorDescription(
          name: "W", shape: [1, 2], storage: .int8([1, 0], scales: [1])),
        TensorDescription(name: "b", shape: [1], values: [0]),
      ])
    func rounded(
      _ x: [Double], _ type: WeightType, bits: Int = 16, largest: Double = 2
    ) -> [Double] {
      var model = model
      if type != .int8 { model = model.converted(to: type) }
      model.programs[0].operations[0].inputBits = bits
      var reference = ReferenceInterpreter(model, roundsOperands: true)
      return x.map { reference.step(frame: [$0, largest])[0] }
    }
    let x = [1, -0.5, 0x1.01p0, 0x1.03p0, -0x1.0101p0, 0x1.00ffp0]
    #expect(rounded(x, .float32) == x)
    #expect(rounded(x, .float16) == x)
    #expect(rounded(x, .bfloat16) == [1, -0.5, 1, 0x1.04p0, -0x1.02p0, 1])
    #expect(rounded([0.5, 1.5, -2.5, 3, 127], .int8, bits: 8, largest: 127) == [0, 2, -2, 3, 127])
    #expect(rounded([2, -2, 0], .int8) == [2, -2, 0])
    #expect(abs(rounded([1e-3], .int8)[0] - 32.0 / 32_767) < 1e-15)
  }

  /// The predictions of a stream, one behind the other.
  private func predictions(
    _ description: ModelDescription, _ frames: [Float], _ level: InstructionLevel
  ) throws -> [Float] {
    let model = try Model(description, options: ModelOptions(level: level))
    var session = Session(model)
    var predictions: [Float] = []
    for first in stride(from: 0, to: frames.count, by: model.frameSize) {
      predictions += try session.step(Array(frames[first..<first + model.frameSize]))
    }
    return predictions
  }

  /// How far predictions, which are the hidden state if there is one, are from what the reference
  /// gives after the prediction before, less its doubts.
  private func largestDeviation(
    of predictions: [Float], from description: ModelDescription, _ frames: [Float]
  ) -> Double {
    var reference = ReferenceInterpreter(description, roundsOperands: true)
    let frameSize = description.programs[0].inputs[0].size
    let count = frames.count / frameSize
    let size = predictions.count / count
    var largest = 0.0
    for step in 0..<count {
      let expected = reference.step(
        frame: frames[step * frameSize..<(step + 1) * frameSize].map(Double.init))
      let given = predictions[step * size..<(step + 1) * size].map(Double.init)
      let doubts = reference.doubts.first ?? given.map { _ in 0 }
      for k in given.indices { largest = max(largest, abs(given[k] - expected[k]) - doubts[k]) }
      if !reference.states.isEmpty { reference.states[0] = given }
    }
    return largest
  }
}
