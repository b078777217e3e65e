import Runnel
import TestSupport
import Testing

/// Smaller weights at the ends of their ranges, where what comes out can be worked out exactly.
@Suite struct WeightExtremesTests {
  /// A dense layer `y = W x` with a matrix as it stands in a file.
  private func dense(
    _ rows: Int, _ columns: Int, _ storage: TensorDescription.Storage, inputBits: Int = 16,
    bias: Float = 0
  ) -> ModelDescription {
    var operation = ModelOperation.dense(input: 0, weights: 0, bias: 1)
    operation.inputBits = inputBits
    return ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: columns)], operations: [operation],
          outputs: [OutputPort(name: "y", slot: 1)])
      ],
      tensors: [
        TensorDescription(name: "W", shape: [rows, columns], storage: storage),
        TensorDescription(name: "b", shape: [rows], values: .init(repeating: bias, count: rows)),
      ])
  }

  /// The first prediction at every level.
  private func predictions(
    _ description: ModelDescription, _ frame: [Float]
  ) throws -> [[Float]] {
    try InstructionLevel.available.map { level in
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      return try session.step(frame)
    }
  }

  @Test func `every finite half is itself, subnormals and 65,504 included`() throws {
    let bits = (0...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 }
    let expected = bits.map { Float(Float16(bitPattern: $0)) }
    for prediction in try predictions(dense(bits.count, 1, .float16(bits)), [1]) {
      #expect(prediction == expected)
    }
  }

  @Test func `every finite bfloat16 is itself, or 0 below 2^-60`() throws {
    let bits = (0...UInt16.max).filter { $0 & 0x7F80 != 0x7F80 }
    let expected = bits.map { bits -> Float in
      let value = Float(bitPattern: UInt32(bits) << 16)
      return value.magnitude < 0x1p-60 ? 0 : value
    }
    for prediction in try predictions(dense(bits.count, 1, .bfloat16(bits)), [1]) {
      #expect(prediction == expected)
    }
  }

  @Test func `vectors are rounded to the nearest bfloat16, ties to even`() throws {
    // Around each of some exponents and fractions: below, at and above halfway.
    let weight: [UInt16] = [0x3F80]
    for level in InstructionLevel.available {
      var session = Session(
        try Model(dense(1, 1, .bfloat16(weight)), options: ModelOptions(level: level)))
      for upper in stride(from: UInt32(0x2180), to: 0x7F00, by: 13) {
        for lower: UInt32 in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
          for sign: UInt32 in [0, 0x8000_0000] {
            let x = Float(bitPattern: sign | upper << 16 | lower)
            let isUp = lower > 0x8000 || lower == 0x8000 && upper & 1 == 1
            let expected = Float(bitPattern: sign | (upper + (isUp ? 1 : 0)) << 16)
            #expect(try session.step([x]) == [expected])
          }
        }
      }
    }
  }

  @Test func `a vector that bfloat16 has no number for is refused`() throws {
    for level in InstructionLevel.available {
      var session = Session(
        try Model(dense(1, 1, .bfloat16([0x3F80])), options: ModelOptions(level: level)))
      #expect(throws: StepError.nonFiniteResult) {
        _ = try session.step([.greatestFiniteMagnitude])
      }
      #expect(try session.step([0x1.FEp127]) == [0x1.FEp127])
    }
  }

  @Test(arguments: [8, 16])
  func `every 8-bit weight times every integer of a vector is exact`(bits: Int) throws {
    // The second column, whose weights are 0, makes the largest magnitude that of the limit.
    let limit = bits == 8 ? 127 : 32_767
    let weights: [Int8] = (Int8.min...Int8.max).flatMap { [$0, 0] }
    let scales = [Float](repeating: 1, count: 256)
    for level in InstructionLevel.available {
      var session = Session(
        try Model(
          dense(256, 2, .int8(weights, scales: scales), inputBits: bits),
          options: ModelOptions(level: level)))
      for x in -limit...limit {
        let prediction = try session.step([Float(x), Float(limit)])
        var isExact = true
        for row in 0..<256 { isExact = isExact && prediction[row] == Float((row - 128) * x) }
        #expect(isExact, "\(x), \(level)")
      }
    }
  }

  /// Rows whose numbers of columns leave a group of four or a pair open, up to many groups.
  static let columnCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 130, 1024]

  @Test(arguments: [8, 16], columnCounts)
  func `weights of ±127 and vectors of ±the largest magnitude add up to the largest sums`(
    bits: Int, columns: Int
  ) throws {
    // All products of one sign, of the other, and of alternating signs, in 37 rows.
    let rows = 37
    let weights = (0..<rows).flatMap { row in
      (0..<columns).map { column in
        let isNegative = row % 3 == 0 || row % 3 == 1 && column % 2 == 0
        return isNegative ? Int8(-127) : 127
      }
    }
    let scales = (0..<rows).map { 0x1p-7 * Float(1 + $0 % 5) }
    let model = dense(rows, columns, .int8(weights, scales: scales), inputBits: bits)
    for sign in [Float(1), -1] {
      // A bound whose quotients by 127 and 32,767 are exact.
      let x = sign * (bits == 8 ? 127 : 32_767)
      let expected = (0..<rows).map { row in
        let sum = weights[row * columns..<(row + 1) * columns].reduce(0) { $0 + Int($1) }
        return Double(sum) * Double(x) * Double(scales[row])
      }
      for prediction in try predictions(model, .init(repeating: x, count: columns)) {
        // Sums beyond 2^24 are rounded twice on their way from integers to floats.
        let errors = zip(prediction, expected).map { abs(Double($0) - $1) / max(1, abs($1)) }
        #expect(errors.max()! <= 0x1p-23)
      }
    }
  }

  /// Frames that are hard for one type or another.
  static func frames(_ columns: Int) -> [(name: String, frame: [Float])] {
    func frame(_ value: (Int) -> Float) -> [Float] { (0..<columns).map(value) }
    return [
      ("zeros", frame { _ in 0 }),
      ("negative zeros", frame { _ in -0.0 }),
      ("below the threshold", frame { _ in 0x1p-61 }),
      ("at the threshold", frame { $0 % 2 == 0 ? 0x1p-60 : -0x1p-60 }),
      ("one huge element", frame { $0 == columns / 2 ? 1e30 : Float($0) }),
      ("one huge negative element", frame { $0 == 0 ? -1e33 : 1 }),
      ("equal magnitudes", frame { $0 % 2 == 0 ? 0.7 : -0.7 }),
      (
        "growing magnitudes",
        frame { Float(sign: .plus, exponent: $0 % 31 - 30, significand: 1) }
      ),
    ]
  }

  @Test(arguments: SmallWeights.allCases, columnCounts)
  func `extreme vectors give what the reference gives`(
    weights: SmallWeights, columns: Int
  ) throws {
    var description = RandomModels.dense(columns: columns, rows: 21, seed: UInt64(columns))
    // A row of zeros, and a matrix with large and small rows.
    guard case .float32(var values) = description.tensors[0].storage,
      case .float32(let bias) = description.tensors[1].storage
    else { return }
    for row in 0..<21 {
      for column in 0..<columns {
        values[row * columns + column] *= row == 3 ? 0 : row == 4 ? 1e4 : row == 5 ? 1e-4 : 1
      }
    }
    description.tensors[0].storage = .float32(values)
    let model = weights(description)
    for (name, frame) in Self.frames(columns) {
      var reference = ReferenceInterpreter(model, roundsOperands: true)
      let expected = reference.step(frame: frame.map { $0.magnitude < 0x1p-60 ? 0 : Double($0) })
      let predictions = try predictions(model, frame)
      if InstructionLevel.best == .v4 { #expect(predictions[1] == predictions[2], "\(name)") }
      for (level, prediction) in zip(InstructionLevel.available, predictions) {
        for row in 0..<21 {
          // A term is rounded up to three times, and errors of sums add up like the root of their
          // number.
          let terms = (0..<columns).reduce(0) {
            $0 + abs(Double(values[row * columns + $1]) * Double(frame[$1]))
          }
          let roundings = max(4, Double(columns).squareRoot() / 4)
          let bound = 0x1p-24 * roundings * (abs(Double(bias[row])) + terms) + 0x1p-60
          let error = abs(Double(prediction[row]) - expected[row])
          #expect(error <= bound, "\(name), row \(row), \(level)")
        }
      }
    }
  }

  @Test(arguments: SmallWeights.allCases, Cell.allCases)
  func `initial states beyond 1 give what the reference gives`(
    weights: SmallWeights, cell: Cell
  ) throws {
    let size = 19
    var description = RandomModels.stack(cell, inputSize: 3, hiddenSize: size, seed: 9)
    description.tensors.append(
      TensorDescription(
        name: "initial", shape: [size], values: (0..<size).map { Float($0 % 7) - 3.25 }))
    description.states[0].initial = description.tensors.count - 1
    let model = weights(description)
    let frames = RandomModels.frames(50, of: model.programs[0], seed: 3)
    for level in InstructionLevel.available {
      var reference = ReferenceInterpreter(model, roundsOperands: true)
      var session = Session(try Model(model, options: ModelOptions(level: level)))
      for first in stride(from: 0, to: frames.count, by: 3) {
        let frame = Array(frames[first..<first + 3])
        let expected = reference.step(frame: frame.map(Double.init))
        let prediction = try session.step(frame)
        for k in 0..<size {
          let error = abs(Double(prediction[k]) - expected[k]) - reference.doubts[0][k]
          #expect(error <= 4e-6, "frame \(first / 3), \(level)")
        }
        reference.states[0] = prediction.map(Double.init)
      }
    }
  }

  @Test(arguments: SmallWeights.allCases, Cell.allCases)
  func `silence from zeros gives what the reference gives`(
    weights: SmallWeights, cell: Cell
  ) throws {
    // The first step's vectors are all zeros; later ones have an input of zeros.
    let model = weights(RandomModels.stack(cell, inputSize: 5, hiddenSize: 18, seed: 4))
    for level in InstructionLevel.available {
      var reference = ReferenceInterpreter(model, roundsOperands: true)
      var session = Session(try Model(model, options: ModelOptions(level: level)))
      for step in 0..<20 {
        let expected = reference.step(frame: .init(repeating: 0, count: 5))
        let prediction = try session.step(.init(repeating: 0, count: 5))
        for k in expected.indices {
          let error = abs(Double(prediction[k]) - expected[k]) - reference.doubts[0][k]
          #expect(error <= 1e-6, "step \(step), \(level)")
        }
        reference.states[0] = prediction.map(Double.init)
      }
    }
  }
}
