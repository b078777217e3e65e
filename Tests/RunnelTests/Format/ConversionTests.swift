import Runnel
import TestSupport
import Testing

/// Weights rounded to smaller types.
@Suite struct ConversionTests {
  private func tensor(_ shape: [Int], _ values: [Float]) -> TensorDescription {
    TensorDescription(name: "W", shape: shape, values: values)
  }

  /// Numbers of many magnitudes and both signs.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      random.uniform(1) * Float(sign: .plus, exponent: random.index(20) - 15, significand: 1)
    }
  }

  @Test func `float16 and bfloat16 are off by half a unit in the last place at most`() {
    let values = numbers(10_000, seed: 1)
    let tensor = tensor([100, 100], values)
    for (value, half) in zip(values, tensor.converted(to: .float16).values) {
      // Subnormals have the unit of the smallest normal half.
      let unit = Double(max(Float16(value.magnitude).ulp, Float16.leastNonzeroMagnitude))
      #expect(abs(Double(value) - Double(half)) <= unit / 2)
    }
    for (value, short) in zip(values, tensor.converted(to: .bfloat16).values) {
      #expect(abs(value - short) <= 0x1p16 * value.ulp / 2)
    }
  }

  @Test func `int8 is off by half a scale at most, and the largest of a row is 127 of them`() {
    let values = numbers(10_000, seed: 2)
    let converted = tensor([250, 40], values).converted(to: .int8)
    guard case .int8(let integers, let scales) = converted.storage else {
      Issue.record("not int8")
      return
    }
    #expect(scales.count == 250)
    for row in 0..<250 {
      let range = row * 40..<(row + 1) * 40
      let largest = values[range].map(\.magnitude).max()!
      #expect(scales[row] == largest / 127)
      #expect(integers[range].map(\.magnitude).max() == 127)
      for k in range {
        let error = abs(Double(values[k]) - Double(integers[k]) * Double(scales[row]))
        #expect(error <= Double(scales[row]) * (0.5 + 1e-5))
      }
    }
  }

  @Test func `what is halfway goes to the even one`() {
    let halves = tensor([1, 4], [0x1.002p0, 0x1.006p0, -0x1.002p0, 0x1.0021p0])
    #expect(halves.converted(to: .float16).values == [1, 0x1.008p0, -1, 0x1.004p0])
    let shorts = tensor([1, 4], [0x1.01p0, 0x1.03p0, -0x1.01p0, 0x1.0101p0])
    #expect(shorts.converted(to: .bfloat16).values == [1, 0x1.04p0, -1, 0x1.02p0])
    let integers = tensor([1, 6], [127, 0.5, 1.5, 2.5, -0.5, -1.5]).converted(to: .int8)
    #expect(integers.storage == .int8([127, 0, 2, 2, 0, -2], scales: [1]))
  }

  @Test func `a row of zeros has the scale 0, and so has one that counts as zeros`() {
    let tiny = Float(0x1p-61)
    // 180 and 1 times the smallest denormal number: their quotient is beyond 127.
    let denormal = Float.leastNonzeroMagnitude
    let values = [0, -0.0, tiny, -tiny, 180 * denormal, denormal, 0x1p-60, 0]
    #expect(
      tensor([4, 2], values).converted(to: .int8).storage
        == .int8([0, 0, 0, 0, 0, 0, 127, 0], scales: [0, 0, 0, 0x1p-60 / 127]))
  }

  @Test(arguments: [Float.greatestFiniteMagnitude, 3e38, 1e-10])
  func `int8 takes rows of any magnitude`(largest: Float) throws {
    var model = RandomModels.dense(columns: 3, rows: 1, seed: 1)
    model.tensors[0].storage = .float32([largest, -largest, largest / 4])
    let converted = model.converted(to: .int8)
    guard case .int8(let integers, _) = converted.tensors[0].storage else { return }
    #expect(integers == [127, -127, 32])
    // 128 times a scale must be finite, which is so up to 127/128 of the largest Float.
    if largest == .greatestFiniteMagnitude {
      #expect(throws: ModelError.tensor(.scale, tensor: 0)) { try Model(converted) }
    } else {
      _ = try Model(converted)
    }
  }

  @Test(arguments: [(WeightType.float16, Float(65_520)), (.bfloat16, .greatestFiniteMagnitude)])
  func `a number that a type has not is refused when the model is loaded`(
    type: WeightType, value: Float
  ) throws {
    var model = RandomModels.dense(columns: 2, rows: 1, seed: 1)
    model.tensors[0].storage = .float32([1, -value])
    #expect(throws: ModelError.tensor(.nonFinite, tensor: 0)) {
      try Model(model.converted(to: type))
    }
    model.tensors[0].storage = .float32([1, -value.nextDown])
    if type == .float16 { _ = try Model(model.converted(to: type)) }
  }

  @Test(arguments: WeightType.allCases)
  func `a conversion to the type that is there changes nothing`(type: WeightType) {
    let once = RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 9, headSize: 4, seed: 1)
      .converted(to: type)
    let twice = once.converted(to: type)
    if type == .int8 {
      // The scales are found anew from products of themselves, which are rounded.
      for (a, b) in zip(once.tensors, twice.tensors) {
        guard case .int8(let before, let scales) = a.storage,
          case .int8(let after, let newScales) = b.storage
        else {
          #expect(a == b)
          continue
        }
        #expect(before == after)
        for (a, b) in zip(scales, newScales) { #expect(abs(a - b) <= a.ulp) }
      }
    } else {
      #expect(twice == once)
    }
  }

  @Test(arguments: WeightType.allCases, [8, 16])
  func `only the matrices of products change`(type: WeightType, bits: Int) throws {
    let model = RandomModels.everyOperation(seed: 3)
    let converted = model.converted(to: type, inputBits: bits)
    let matrices = Set(model.programs.flatMap(\.operations).flatMap(\.matrices))
    #expect(matrices.count == 12)
    for index in model.tensors.indices {
      if matrices.contains(index) {
        #expect(converted.tensors[index].type == type)
        #expect(converted.tensors[index].name == model.tensors[index].name)
        #expect(converted.tensors[index].shape == model.tensors[index].shape)
      } else {
        #expect(converted.tensors[index] == model.tensors[index])
      }
    }
    for (old, new) in zip(
      model.programs.flatMap(\.operations), converted.programs.flatMap(\.operations))
    {
      #expect(new.inputBits == (type == .int8 && old.hasMatrices ? bits : 16))
      var same = new
      same.inputBits = 16
      #expect(same == old)
    }
    #expect(converted.states == model.states)
    #expect(converted.metadata == model.metadata)
    #expect(throws: Never.self) { try converted.validate() }
  }

  @Test func `bits are those of the last conversion`() {
    let model = RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 9, seed: 1)
      .converted(to: .int8, inputBits: 8)
    #expect(model.programs[0].operations[0].inputBits == 8)
    #expect(model.converted(to: .int8).programs[0].operations[0].inputBits == 16)
    #expect(model.converted(to: .bfloat16).programs[0].operations[0].inputBits == 16)
  }

  @Test(arguments: [WeightType.float16, .bfloat16, .int8])
  func `a tensor that operations share is converted once`(type: WeightType) throws {
    // Two dense layers with one matrix, and an embedding with the matrix of a third.
    var maker = ModelMaker(seed: 1)
    let token = maker.input("token", kind: .index, size: 4)
    let table = maker.tensor("table", [4, 4], bound: 1)
    let shared = maker.tensor("shared", [4, 4], bound: 1)
    let bias = maker.tensor("bias", [4], bound: 1)
    var slot = maker.add(.embedding(index: token, table: table))
    slot = maker.add(.dense(input: slot, weights: shared, bias: bias))
    slot = maker.add(.dense(input: slot, weights: shared, bias: bias))
    slot = maker.add(.dense(input: slot, weights: table, bias: bias))
    let model = maker.finish(outputs: [OutputPort(name: "y", slot: slot)])
    let converted = model.converted(to: type)
    #expect(converted.tensors[table] == model.tensors[table].converted(to: type))
    #expect(converted.tensors[shared] == model.tensors[shared].converted(to: type))
    #expect(converted.tensors[bias] == model.tensors[bias])
    var reference = ReferenceInterpreter(converted, roundsOperands: true)
    for level in InstructionLevel.available {
      var session = Session(try Model(converted, options: ModelOptions(level: level)))
      for token in 0..<4 {
        let expected = reference.step(frame: [Double(token)])
        let prediction = try session.step([Float(token)])
        // A vector that is a result may be rounded otherwise; a step of bfloat16 is 2^-8 of it.
        let bound = type == .bfloat16 ? 0x1p-6 : 1e-3
        for (a, b) in zip(prediction, expected) { #expect(abs(Double(a) - b) <= bound) }
      }
    }
  }

  @Test func `the accuracy is set where there are activations, and only there`() {
    let model = RandomModels.everyOperation(seed: 1)
    let fast = model.settingAccuracy(.fast)
    #expect(fast.tensors == model.tensors)
    for operation in fast.programs.flatMap(\.operations) {
      #expect((operation.accuracy == .fast) == operation.hasActivations)
    }
    #expect(fast.settingAccuracy(.exact) == model)
  }
}
