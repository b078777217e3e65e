import Runnel
import TestSupport
import Testing

/// Results within a step that are infinite or not a number.
@Suite struct OverflowTests {
  /// A model of two elements of x, in which `make` goes on from the slot of x² × factor.
  private func model(
    factor: Float, _ make: (inout ModelMaker, Int) -> Int
  ) -> ModelDescription {
    var maker = ModelMaker(seed: 1)
    let x = maker.input("x", size: 2)
    let square = maker.add(.multiply(x, x))
    maker.model.tensors = [
      TensorDescription(name: "factor", shape: [2], values: [factor, factor]),
      TensorDescription(name: "0", shape: [2], values: [0, 0]),
    ]
    let slot = maker.add(.affine(input: square, scale: 0, shift: 1))
    let result = make(&maker, slot)
    return maker.finish(outputs: [OutputPort(name: "y", slot: result)])
  }

  static let types: [(type: WeightType, bits: Int)] = [
    (.float32, 16), (.float16, 16), (.bfloat16, 16), (.int8, 16), (.int8, 8),
  ]

  private func expectRefusal(_ description: ModelDescription, _ name: String) throws {
    for level in InstructionLevel.available {
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      #expect(throws: StepError.nonFiniteResult, "\(name), \(level)") {
        _ = try session.step([1e30, 1])
      }
      #expect(throws: StepError.nonFiniteResult, "\(name), \(level)") {
        _ = try session.step([1, 1e30])
      }
      // The session goes on.
      #expect(try session.step([0.5, 0.5]).allSatisfy(\.isFinite))
    }
  }

  @Test(arguments: [ModelOperation.Accuracy.exact, .fast])
  func `an operation on what is not a number is refused on every level`(
    accuracy: ModelOperation.Accuracy
  ) throws {
    for make in [ModelOperation.tanh, ModelOperation.sigmoid] {
      let model = model(factor: 0) { $0.add(make($1)) }
      try expectRefusal(
        model.settingAccuracy(accuracy), "\(model.programs[0].operations.last!.code)")
    }
    let others = [
      ModelOperation.relu, ModelOperation.softmax, ModelOperation.softplus, ModelOperation.gelu,
      ModelOperation.squareRoot,
    ]
    for make in others {
      let model = model(factor: 0) { $0.add(make($1)) }
      try expectRefusal(model, "\(model.programs[0].operations.last!.code)")
    }
    // The factors, of value 0, stand in for slopes, scales, bounds and a small number.
    for (code, tensors) in [
      (.prelu, [0]), (.elu, [0]), (.clip, [1, 0]), (.layerNorm, [0, 1, 2]),
    ] as [(ModelOperation.Code, [Int])] {
      let model = model(factor: 0) {
        $0.model.tensors.append(TensorDescription(name: "1", shape: [1], values: [1]))
        return $0.add(ModelOperation(code, operands: [$1], tensors: tensors))
      }
      try expectRefusal(model, "\(code)")
    }
  }

  @Test(arguments: types)
  func `a product with a vector that is not a number is refused on every level`(
    type: WeightType, bits: Int
  ) throws {
    let dense = model(factor: 0) {
      $0.dense("dense", input: $1, inputSize: 2, outputSize: 3, bound: 1)
    }
    try expectRefusal(dense.converted(to: type, inputBits: bits), "dense")
    for cell in Cell.allCases {
      for size in [1, 16, 20] {
        let model = model(factor: 0) {
          $0.layer(cell, "cell", input: $1, inputSize: 2, hiddenSize: size, bound: 1)
        }
        try expectRefusal(model.converted(to: type, inputBits: bits), "\(cell), \(size) units")
      }
    }
  }

  @Test(arguments: types, [Cell.lstm, .gruResetAfter, .gruResetBefore])
  func `a sum that overflows in one gate only is refused on every level`(
    type: (type: WeightType, bits: Int), cell: Cell
  ) throws {
    let size = 18
    let gates = cell == .lstm ? 4 : 3
    for gate in 0..<gates {
      var model = RandomModels.stack(cell, inputSize: 2, hiddenSize: size, seed: 6)
      guard case .float32(var weights) = model.tensors[0].storage else { return }
      for k in gate * size * 2..<(gate + 1) * size * 2 { weights[k] = 1e4 }
      model.tensors[0].storage = .float32(weights)
      let converted = model.converted(to: type.type, inputBits: type.bits)
      for level in InstructionLevel.available {
        var session = Session(try Model(converted, options: ModelOptions(level: level)))
        let first = try session.step([0.1, 0.2])
        #expect(throws: StepError.nonFiniteResult, "gate \(gate), \(level)") {
          _ = try session.step([1e36, 1e36])
        }
        session.reset()
        #expect(try session.step([0.1, 0.2]) == first)
      }
    }
  }

  @Test(arguments: types)
  func `an infinite vector is refused, or makes a tanh of the right sign`(
    type: WeightType, bits: Int
  ) throws {
    for sign in [Float(1), -1] {
      let model = model(factor: sign) {
        $0.layer(.rnnTanh, "cell", input: $1, inputSize: 2, hiddenSize: 20, bound: 1)
      }
      guard case .float32(let weights) = model.tensors[2].storage else { return }
      for level in InstructionLevel.available {
        var session = Session(
          try Model(
            model.converted(to: type, inputBits: bits), options: ModelOptions(level: level)))
        // There is no integer for infinity.
        if type == .int8 {
          #expect(throws: StepError.nonFiniteResult) { _ = try session.step([1e30, 0]) }
        } else {
          let state = try session.step([1e30, 0])
          #expect(state == (0..<20).map { weights[2 * $0] * sign > 0 ? 1 : -1 })
        }
      }
    }
  }

  @Test(arguments: [Cell.rnnTanh, .lstm, .gruResetAfter, .gruResetBefore], [8, 16])
  func `a hidden state that another program makes larger than 1 is taken as it is`(
    cell: Cell, bits: Int
  ) throws {
    // "set" makes the state max(x, 0); "step" goes on from there.
    let size = 4
    var description = RandomModels.stack(cell, inputSize: size, hiddenSize: size, seed: 3)
    let first = description.tensors.count
    let ones = (0..<size * size).map { $0 % (size + 1) == 0 ? Float(1) : 0 }
    description.tensors += [
      TensorDescription(name: "1", shape: [size, size], values: ones),
      TensorDescription(name: "00", shape: [size, size], values: ones.map { _ in 0 }),
      TensorDescription(name: "0", shape: [size], values: .init(repeating: 0, count: size)),
    ]
    description.programs.append(
      ProgramDescription(
        name: "set", inputs: [InputPort(name: "x", size: size)],
        operations: [
          .rnn(
            .relu, input: 0, inputWeights: first, recurrentWeights: first + 1, bias: first + 2,
            hidden: 0)
        ],
        outputs: [OutputPort(name: "h", slot: 1)]))
    description = description.converted(to: .int8, inputBits: bits)
    let state: [Float] = [1.5, 0.25, 7, 3]
    for level in InstructionLevel.available {
      var session = Session(try Model(description, options: ModelOptions(level: level)))
      var reference = ReferenceInterpreter(description, roundsOperands: true)
      let set = try session.step(state, program: 1)
      _ = reference.step(program: 1, frame: state.map(Double.init))
      reference.states[0] = set.map(Double.init)
      let frame: [Float] = [0.125, 0.25, -0.5, 1]
      let prediction = try session.step(frame)
      let expected = reference.step(frame: frame.map(Double.init))
      for k in 0..<size {
        let error = abs(Double(prediction[k]) - expected[k]) - reference.doubts[0][k]
        #expect(error <= 1e-5, "\(level)")
      }
    }
  }

  @Test(arguments: [8, 16])
  func `8-bit weights below 2^-60 are zeros, as others are`(bits: Int) throws {
    var model = RandomModels.dense(columns: 2, rows: 3, seed: 1)
    let scales: [Float] = [0x1p-140, 0x1p-70, 0x1p-50]
    model.tensors[0].storage = .int8([127, 1, 127, 1, 127, 127], scales: scales)
    model.tensors[1].storage = .float32([0, 0, 0])
    model.programs[0].operations[0].inputBits = bits
    for level in InstructionLevel.available {
      var session = Session(try Model(model, options: ModelOptions(level: level)))
      let prediction = try session.step([0x1p90, 0])
      #expect(prediction[0] == 0 && prediction[1] == 0)
      #expect(abs(prediction[2] / (127 * 0x1p40) - 1) < 1e-6)
    }
  }
}
