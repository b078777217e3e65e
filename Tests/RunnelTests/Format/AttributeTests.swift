import Runnel
import TestSupport
import Testing

/// What operations say besides what they refer to: in the file, both ways.
@Suite struct AttributeTests {
  /// An attribute as it stands in a file.
  struct Attribute: Sendable {
    let code, value: UInt16
    init(_ code: UInt16, _ value: UInt16) {
      self.code = code
      self.value = value
    }
    var bytes: [UInt8] { HostileFile.littleEndian(code) + HostileFile.littleEndian(value) }
  }

  static let fast = Attribute(1, 1)
  static let narrow = Attribute(2, 8)

  /// The format page's model, whose program's one operation is at the end of its bytes but for the
  /// output's 13.
  private func file(
    _ code: ModelOperation.Code = .rnnTanh, _ attributes: [Attribute], count: Int? = nil
  ) throws -> HostileFile {
    var model = FormatPageTests.tiny
    if code == .rnnReLU { model.programs[0].operations[0].code = code }
    model.golden = GoldenFrames()
    var file = HostileFile(try model.encoded())
    // The operation is 8 bytes, and 5 references of 4; its count of attributes is the sixth byte.
    let end = file[.programs].count - 13
    file[.programs][end - 28 + 5] = UInt8(count ?? attributes.count)
    file[.programs].insert(contentsOf: attributes.flatMap(\.bytes), at: end)
    return file
  }

  /// The model whose file that is.
  private func model(_ change: (inout ModelOperation) -> Void) -> ModelDescription {
    var model = FormatPageTests.tiny
    model.golden = GoldenFrames()
    change(&model.programs[0].operations[0])
    return model
  }

  @Test func `attributes stand in the file where they differ from the default`() throws {
    let cases: [(ModelDescription, [Attribute])] = [
      (model { _ in }, []),
      (model { $0.accuracy = .fast }, [Self.fast]),
      (model { $0.inputBits = 8 }, [Self.narrow]),
      (
        model {
          $0.accuracy = .fast
          $0.inputBits = 8
        }, [Self.fast, Self.narrow]
      ),
    ]
    for (model, attributes) in cases {
      let bytes = try file(.rnnTanh, attributes).sealed()
      #expect(try model.encoded() == bytes)
      #expect(try bytes.decoded() == model)
    }
  }

  @Test(arguments: Cell.allCases, [8, 16])
  func `models of every cell come back with their attributes`(cell: Cell, bits: Int) throws {
    let model = RandomModels.stack(cell, inputSize: 3, hiddenSize: 5, headSize: 2, seed: 1)
      .converted(to: .int8, inputBits: bits).settingAccuracy(.fast)
    let operations = try model.encoded().decoded().programs[0].operations
    #expect(operations == model.programs[0].operations)
    #expect(operations[0].accuracy == (cell == .rnnReLU ? .exact : .fast))
    #expect(operations.map(\.inputBits) == [bits, bits])
    #expect(operations[1].accuracy == .exact)
    #expect(try model.encoded().decoded() == model)
  }

  @Test func `a model of every operation comes back with its attributes`() throws {
    let model = RandomModels.everyOperation(seed: 1).converted(to: .int8, inputBits: 8)
      .settingAccuracy(.fast)
    let read = try model.encoded().decoded()
    #expect(read == model)
    for operation in read.programs.flatMap(\.operations) {
      let hasActivations: Set<ModelOperation.Code> = [
        .rnnTanh, .lstm, .gruResetAfter, .gruResetBefore, .tanh, .sigmoid,
      ]
      #expect((operation.accuracy == .fast) == hasActivations.contains(operation.code))
      let hasMatrices: Set<ModelOperation.Code> = [
        .rnnTanh, .rnnReLU, .lstm, .gruResetAfter, .gruResetBefore, .dense, .convolution,
      ]
      #expect((operation.inputBits == 8) == hasMatrices.contains(operation.code))
    }
    // The other way round, all that is left are the defaults.
    let plain = model.converted(to: .float32).settingAccuracy(.exact)
    #expect(try plain.encoded().decoded() == plain)
    #expect(plain.programs == RandomModels.everyOperation(seed: 1).programs)
  }

  @Test(arguments: [
    (ModelOperation.Code.maximum, 3, 1), (.maximum, 4, 0), (.maximum, 5, 1), (.window, 6, 1),
    (.every, 3, 1),
  ])
  func `a stride, width, count or dilation of 1 is not written, and one of 0 is refused`(
    code: ModelOperation.Code, attribute: UInt16, value: UInt16
  ) throws {
    var model = RandomModels.everyOperation(seed: 5)
    model.append(RandomModels.everyThirdFrame(seed: 5), name: "third")
    var file = HostileFile(try model.encoded())
    let operation = model.programs.flatMap(\.operations).first { $0.code == code }!
    let values = [
      3: operation.stride, 4: operation.width, 5: operation.count, 6: operation.dilation,
    ]
    let right =
      HostileFile.littleEndian(attribute)
      + HostileFile.littleEndian(UInt16(values[Int(attribute)]!))
    let start = HostileFile.littleEndian(code.rawValue) + [UInt8(operation.operands.count)]
    let bytes = file[.programs]
    let operationStart = bytes.indices.first { bytes[$0...].starts(with: start) }!
    let place = bytes[operationStart...].indices.first { bytes[$0...].starts(with: right) }!
    file[.programs].replaceSubrange(
      place + 2..<place + 4, with: HostileFile.littleEndian(value))
    let sealed = file.sealed()
    let error = #expect(throws: ModelError.self) { try sealed.decoded() }
    guard case .format(.attributes, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// Attributes of which one is wrong, and which.
  struct Hostile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let attributes: [Attribute]
    var wrong = 0
    var code = ModelOperation.Code.rnnTanh
  }

  static let hostile: [Hostile] = [
    Hostile(testDescription: "the code 0", attributes: [Attribute(0, 1)]),
    Hostile(testDescription: "an unknown code", attributes: [Attribute(7, 1)]),
    Hostile(
      testDescription: "an unknown code behind known ones",
      attributes: [fast, narrow, Attribute(7, 1)], wrong: 2),
    Hostile(testDescription: "a stride of a cell", attributes: [Attribute(3, 2)]),
    Hostile(testDescription: "rows of a cell", attributes: [Attribute(4, 2)]),
    Hostile(testDescription: "windows of a cell", attributes: [Attribute(5, 2)]),
    Hostile(testDescription: "a dilation of a cell", attributes: [Attribute(6, 2)]),
    Hostile(testDescription: "the largest code", attributes: [Attribute(0xFFFF, 1)]),
    Hostile(testDescription: "the accuracy that is the default", attributes: [Attribute(1, 0)]),
    Hostile(testDescription: "an unknown accuracy", attributes: [Attribute(1, 2)]),
    Hostile(testDescription: "an accuracy with a high byte", attributes: [Attribute(1, 0x101)]),
    Hostile(testDescription: "the bits that are the default", attributes: [Attribute(2, 16)]),
    Hostile(testDescription: "no bits", attributes: [Attribute(2, 0)]),
    Hostile(testDescription: "other bits", attributes: [Attribute(2, 4)]),
    Hostile(testDescription: "bits with a high byte", attributes: [Attribute(2, 0x108)]),
    Hostile(testDescription: "a descending order", attributes: [narrow, fast], wrong: 1),
    Hostile(testDescription: "one twice", attributes: [fast, fast], wrong: 1),
    Hostile(testDescription: "the other one twice", attributes: [narrow, narrow], wrong: 1),
    Hostile(
      testDescription: "as many as can be", attributes: .init(repeating: fast, count: 255), wrong: 1
    ),
    Hostile(
      testDescription: "an accuracy where there are no activations", attributes: [fast],
      code: .rnnReLU),
  ]

  @Test(arguments: hostile)
  func `a wrong attribute is refused, where it is`(_ hostile: Hostile) throws {
    let file = try file(hostile.code, hostile.attributes)
    let end = file.start(of: .programs) + file[.programs].count - 13
    let offset = end - 4 * (hostile.attributes.count - hostile.wrong)
    #expect(throws: ModelError.format(.attributes, offset: offset)) {
      try file.sealed().decoded()
    }
  }

  @Test(arguments: [(1, 0), (2, 1), (255, 0)])
  func `more attributes than there are are refused`(count: Int, given: Int) throws {
    // What stands behind, the list of outputs, is read as an attribute of the code 1 and value 0.
    let attributes = Array([Self.fast][..<given])
    let file = try file(.rnnTanh, attributes, count: count)
    let offset = file.start(of: .programs) + file[.programs].count - 13
    #expect(throws: ModelError.format(.attributes, offset: offset)) {
      try file.sealed().decoded()
    }
    // The twin with the right count is accepted.
    _ = try self.file(.rnnTanh, attributes).sealed().decoded()
  }

  @Test func `fewer attributes than there are are refused`() throws {
    // The attribute is read as the number of outputs.
    let file = try file(.rnnTanh, [Self.fast], count: 0)
    let offset = file.start(of: .programs) + file[.programs].count - 17
    #expect(throws: ModelError.format(.countTooLarge, offset: offset)) {
      try file.sealed().decoded()
    }
  }

  @Test func `bits are refused where nothing is multiplied with a matrix`() throws {
    let model = ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: 1)], operations: [.tanh(0)],
          outputs: [OutputPort(name: "y", slot: 1)])
      ])
    for (attribute, isRefused) in [(Self.narrow, true), (Self.fast, false)] {
      var file = HostileFile(try model.encoded())
      let end = file[.programs].count - 13
      file[.programs][end - 12 + 5] = 1
      file[.programs].insert(contentsOf: attribute.bytes, at: end)
      let offset = file.start(of: .programs) + end
      if isRefused {
        #expect(throws: ModelError.format(.attributes, offset: offset)) {
          try file.sealed().decoded()
        }
      } else {
        #expect(try file.sealed().decoded() == model.settingAccuracy(.fast))
      }
    }
  }
}
