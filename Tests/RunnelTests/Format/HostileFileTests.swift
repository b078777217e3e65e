import Runnel
import TestSupport
import Testing

/// One change to a valid file, and the error that it must give.
struct Rejection: Sendable, CustomTestStringConvertible {
  /// What the changed file has.
  let testDescription: String
  let section: HostileFile.Section
  /// The string behind which the change is; at the start of the section if it is `nil`.
  let anchor: String?
  /// How far behind that the change is.
  let distance: Int
  let bytes: [UInt8]
  let expected: Expected

  enum Expected: Sendable {
    /// A fault of the bytes, so far behind the start of the change.
    case fault(FormatFault, distance: Int = 0)
    case error(ModelError)
  }

  init(
    _ description: String, _ section: HostileFile.Section, behind anchor: String? = nil,
    at distance: Int = 0, _ bytes: [UInt8], _ expected: Expected
  ) {
    self.testDescription = description
    self.section = section
    self.anchor = anchor
    self.distance = distance
    self.bytes = bytes
    self.expected = expected
  }

  init(
    _ description: String, _ section: HostileFile.Section, behind anchor: String? = nil,
    at distance: Int = 0, _ integer: UInt32, _ expected: Expected
  ) {
    self.init(
      description, section, behind: anchor, at: distance, HostileFile.littleEndian(integer),
      expected)
  }
}

/// Files that someone made with care: all lengths and checksums are right, and one value is not.
@Suite struct HostileFileTests {
  let valid: HostileFile

  init() throws {
    var model = RandomModels.everyOperation(seed: 1).stored(as: .int8)
    model.metadata.name = "hostile"
    model.metadata.labels = ["yes", "no"]
    valid = HostileFile(try model.withGoldenFrames(2, seed: 2).encoded())
    // The twin that nothing was done to is accepted.
    _ = try valid.sealed().decoded()
  }

  // The first operation of the program, an embedding, stands 12 bytes behind the name of the last
  // input, and the list of outputs 4 bytes before the length of the name of the first.
  static let programs: [Rejection] = [
    Rejection("more states than the limit", .programs, 1_025, .fault(.countTooLarge)),
    Rejection("more states than bytes", .programs, 1_024, .fault(.sectionTooShort)),
    Rejection("a name beyond the limit", .programs, at: 4, 65_536, .fault(.countTooLarge)),
    Rejection("a name beyond the section", .programs, at: 4, 65_535, .fault(.sectionTooShort)),
    Rejection("a name that is not UTF-8", .programs, at: 8, [0xFF], .fault(.invalidUTF8)),
    Rejection("an overlong zero", .programs, at: 8, [0xC0, 0x80], .fault(.invalidUTF8)),
    Rejection("half of a pair", .programs, at: 8, [0xED, 0xA0, 0x80], .fault(.invalidUTF8)),
    Rejection(
      "a character cut off", .programs, behind: "token", at: -1, [0xC3],
      .fault(.invalidUTF8, distance: -4)),
    Rejection(
      "a state without elements", .programs, behind: "rnnReLU.hidden", 0,
      .error(.state(.size, state: 1))),
    Rejection(
      "a state beyond the limit", .programs, behind: "rnnReLU.hidden", 65_537,
      .error(.state(.size, state: 1))),
    Rejection(
      "an initial tensor that is not there", .programs, behind: "rnnTanh.hidden", at: 4,
      0xFFFF_FFFE,
      .error(.state(.noSuchTensor, state: 0))),
    Rejection(
      "no program", .programs, behind: "past", at: 8, 0,
      .fault(.sectionTooLong, distance: 4)),
    Rejection(
      "more programs than the limit", .programs, behind: "past", at: 8, 17,
      .fault(.countTooLarge)),
    Rejection("more inputs than the limit", .programs, behind: "step", 65, .fault(.countTooLarge)),
    Rejection(
      "an input of an unknown kind", .programs, behind: "frame", 2, .fault(.inputKind)),
    Rejection(
      "an input without elements", .programs, behind: "frame", at: 4, 0,
      .error(.program(.inputSize, program: 0, operation: 0))),
    Rejection(
      "an input beyond the limit", .programs, behind: "frame", at: 4, 0xFFFF_FFFF,
      .error(.program(.inputSize, program: 0, operation: 0))),
    Rejection(
      "a frame beyond the limit", .programs, behind: "frame", at: 4, 65_536,
      .error(.program(.frameTooLarge, program: 0, operation: 1))),
    Rejection(
      "more operations than the limit", .programs, behind: "token", at: 8, 4_097,
      .fault(.countTooLarge)),
    Rejection(
      "more operations than bytes", .programs, behind: "token", at: 8, 4_096,
      .fault(.sectionTooShort)),
    Rejection(
      "an operation of an unknown code", .programs, behind: "token", at: 12, [0xFF, 0xFF],
      .fault(.operationCode)),
    Rejection(
      "an operation of the code 0", .programs, behind: "token", at: 12, [0, 0],
      .fault(.operationCode)),
    Rejection(
      "an operation with an attribute that it does not take", .programs, behind: "token", at: 17,
      [1],
      .fault(.attributes, distance: 11)),
    Rejection(
      "an operation's reserved bytes set", .programs, behind: "token", at: 18, [0, 1],
      .fault(.reserved, distance: 1)),
    Rejection(
      "an operand that is the operation itself", .programs, behind: "token", at: 20, 2,
      .error(.program(.noSuchSlot, program: 0, operation: 0))),
    Rejection(
      "an operand far away", .programs, behind: "token", at: 20, 0xFFFF_FFFF,
      .error(.program(.noSuchSlot, program: 0, operation: 0))),
    Rejection(
      "a tensor that is not there", .programs, behind: "token", at: 24, 0x7FFF_FFFF,
      .error(.program(.noSuchTensor, program: 0, operation: 0))),
    Rejection(
      "a tensor for a state", .programs, behind: "token", at: 14, [1, 0, 1],
      .error(.program(.tensorCount, program: 0, operation: 0))),
    Rejection(
      "more outputs than the limit", .programs, behind: "softmax", at: -15, 65,
      .fault(.countTooLarge)),
    Rejection(
      "an output of no slot", .programs, behind: "softmax", 0xFFFF_FFFF,
      .error(.program(.outputSlot, program: 0, operation: 0))),
    Rejection(
      "an index as output", .programs, behind: "softmax", 1,
      .error(.program(.outputIsIndex, program: 0, operation: 0))),
  ]

  static let tensors: [Rejection] = [
    Rejection("more tensors than the limit", .tensors, 4_097, .fault(.countTooLarge)),
    Rejection("more tensors than bytes", .tensors, 4_096, .fault(.sectionTooShort)),
    Rejection("a type of 0", .tensors, behind: "affine.scale", [0], .fault(.tensorType)),
    Rejection("an unknown type", .tensors, behind: "affine.scale", [5], .fault(.tensorType)),
    Rejection(
      "scaled floats", .tensors, behind: "affine.scale", at: 1, [1], .fault(.tensorScaling)),
    Rejection(
      "integers without scale", .tensors, behind: "embedding.table", at: 1, [0],
      .fault(.tensorScaling)),
    Rejection(
      "integers with an unknown scaling", .tensors, behind: "embedding.table", at: 1, [2],
      .fault(.tensorScaling)),
    Rejection("no dimension", .tensors, behind: "affine.scale", at: 2, [0], .fault(.tensorRank)),
    Rejection(
      "three dimensions", .tensors, behind: "affine.scale", at: 2, [3], .fault(.tensorRank)),
    Rejection(
      "many dimensions", .tensors, behind: "affine.scale", at: 2, [255], .fault(.tensorRank)),
    Rejection(
      "reserved bytes set", .tensors, behind: "affine.scale", at: 3, [1], .fault(.reserved)),
    Rejection(
      "a dimension of 0", .tensors, behind: "affine.scale", at: 4, 0, .fault(.tensorDimension)),
    Rejection(
      "a dimension beyond the limit", .tensors, behind: "affine.scale", at: 4, 65_537,
      .fault(.tensorDimension)),
    Rejection(
      "a dimension that is negative in 32 bits", .tensors, behind: "affine.scale", at: 4,
      0xFFFF_FFFF,
      .fault(.tensorDimension)),
    Rejection(
      "dimensions whose product is 0 in 32 bits", .tensors, behind: "embedding.table", at: 4,
      [0, 0, 1, 0, 0, 0, 1, 0], .fault(.tensorTooLarge, distance: 4)),
  ]

  static let metadata: [Rejection] = [
    Rejection("more entries than the limit", .metadata, 1_025, .fault(.countTooLarge)),
    Rejection("more entries than bytes", .metadata, 1_024, .fault(.sectionTooShort)),
    Rejection(
      "a key with a space", .metadata, behind: "labels", at: -6, [0x20],
      .fault(.metadataKey, distance: -4)),
    Rejection(
      "a key that is not ASCII", .metadata, behind: "labels", at: -6, [0xC3, 0xA4],
      .fault(.metadataKey, distance: -4)),
    Rejection(
      "keys out of order", .metadata, behind: "labels", at: -6, Array("zabels".utf8),
      .fault(.metadataKey, distance: 23)),
    Rejection("an empty key", .metadata, at: 4, 0, .fault(.metadataKey)),
    Rejection(
      "more values than the limit", .metadata, behind: "labels", 65_537,
      .fault(.countTooLarge)),
    Rejection(
      "more values than bytes", .metadata, behind: "labels", 65_536, .fault(.sectionTooShort)),
    Rejection(
      "a value that is not UTF-8", .metadata, behind: "hostile", at: -1, [0x80],
      .fault(.invalidUTF8, distance: -6)),
  ]

  // The tolerance is at 0, the count of the runs at 4, the first run at 8, its first frame at 20,
  // and the index in that frame at 40.
  static let golden: [Rejection] = [
    Rejection("no tolerance", .golden, 0, .error(.golden(.tolerance, run: 0))),
    Rejection(
      "a negative tolerance", .golden, (-1 as Float).bitPattern,
      .error(.golden(.tolerance, run: 0))),
    Rejection(
      "an infinite tolerance", .golden, Float.infinity.bitPattern,
      .error(.golden(.tolerance, run: 0))),
    Rejection(
      "a tolerance that is not a number", .golden, Float.nan.bitPattern,
      .error(.golden(.tolerance, run: 0))),
    Rejection("more runs than the limit", .golden, at: 4, 1_025, .fault(.countTooLarge)),
    Rejection("more runs than bytes", .golden, at: 4, 1_024, .fault(.sectionTooShort)),
    Rejection("a program that is not there", .golden, at: 8, 2, .fault(.goldenProgram)),
    Rejection("a program far away", .golden, at: 8, 0xFFFF_FFFF, .fault(.goldenProgram)),
    Rejection("an unknown flag", .golden, at: 12, 2, .fault(.goldenFlags)),
    Rejection("an unknown flag high up", .golden, at: 12, 0x8000_0001, .fault(.goldenFlags)),
    Rejection("more frames than bytes", .golden, at: 16, 100, .fault(.sectionTooShort)),
    Rejection(
      "a number of frames that overflows 32 bits", .golden, at: 16, 0xFFFF_FFFF,
      .fault(.sectionTooShort)),
    Rejection(
      "a frame that is not a number", .golden, at: 20, Float.nan.bitPattern,
      .error(.golden(.nonFinite, run: 0))),
    Rejection(
      "an infinite frame", .golden, at: 20, Float.infinity.bitPattern,
      .error(.golden(.nonFinite, run: 0))),
    Rejection(
      "an index beyond its port", .golden, at: 40, (7 as Float).bitPattern,
      .error(.golden(.index, run: 0))),
    Rejection(
      "an index below 0", .golden, at: 40, (-1 as Float).bitPattern,
      .error(.golden(.index, run: 0))),
    Rejection(
      "half an index", .golden, at: 40, (0.5 as Float).bitPattern, .error(.golden(.index, run: 0))),
  ]

  @Test(arguments: programs + tensors + metadata + golden)
  func `a changed value is refused`(_ rejection: Rejection) throws {
    var file = valid
    let anchor = rejection.anchor.map { file.position(behind: $0, in: rejection.section) }
    let position = (anchor ?? 0) + rejection.distance
    file.overwrite(rejection.section, at: position, with: rejection.bytes)
    let expected =
      switch rejection.expected {
      case .error(let error): error
      case .fault(let fault, let distance):
        ModelError.format(fault, offset: file.start(of: rejection.section) + position + distance)
      }
    #expect(throws: expected) { try file.sealed().decoded() }
  }

  @Test(arguments: HostileFile.Section.allCases)
  func `a section that goes on behind its last value is refused`(
    section: HostileFile.Section
  ) throws {
    var file = valid
    let end = file.start(of: section) + file[section].count
    file[section].append(0)
    let expected: ModelError =
      section == .weights
      ? .format(.weightsLength, offset: file.start(of: .weights))
      : .format(.sectionTooLong, offset: end)
    #expect(throws: expected) { try file.sealed().decoded() }
  }

  @Test(arguments: HostileFile.Section.allCases)
  func `a section that is cut at any byte is refused`(section: HostileFile.Section) throws {
    for length in 0..<valid[section].count {
      var file = valid
      file[section].removeSubrange(length...)
      #expect(throws: ModelError.self) { try file.sealed().decoded() }
    }
  }

  @Test func `a key that stands twice is refused`() throws {
    var file = valid
    let entry = HostileFile.string("a") + HostileFile.littleEndian(UInt32(0))
    file[.metadata] = HostileFile.littleEndian(UInt32(2)) + entry + entry
    let second = file.start(of: .metadata) + 4 + entry.count
    #expect(throws: ModelError.format(.metadataKey, offset: second)) {
      try file.sealed().decoded()
    }
    file[.metadata] = HostileFile.littleEndian(UInt32(1)) + entry
    _ = try file.sealed().decoded()
  }

  @Test func `a run without frames is refused`() throws {
    var file = valid
    file[.golden].replaceSubrange(4..., with: [1, 0, 0, 0] + [UInt8](repeating: 0, count: 12))
    #expect(throws: ModelError.golden(.frames, run: 0)) { try file.sealed().decoded() }
  }

  // The first tensor is the embedding's table, int8 of shape [7, 4]: seven scales in 28 bytes,
  // zeros up to 64, and 28 integers. The second one is five floats at 128.

  @Test(arguments: [28, 63, 92, 127])
  func `zeros between weights that are not zero are refused`(position: Int) throws {
    var file = valid
    file.overwrite(.weights, at: position, with: [1])
    let offset = file.start(of: .weights) + position
    #expect(throws: ModelError.format(.padding, offset: offset)) { try file.sealed().decoded() }
  }

  @Test(arguments: [Float.nan, .infinity, -1, 1e37 * 10])
  func `a scale that is negative, or gives infinite weights, is refused`(scale: Float) throws {
    var file = valid
    file.overwrite(.weights, at: 24, with: HostileFile.littleEndian(scale.bitPattern))
    #expect(throws: ModelError.tensor(.scale, tensor: 0)) { try file.sealed().decoded() }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, .signalingNaN])
  func `a weight that is not finite is refused`(weight: Float) throws {
    var file = valid
    file.overwrite(.weights, at: 144, with: HostileFile.littleEndian(weight.bitPattern))
    #expect(throws: ModelError.tensor(.nonFinite, tensor: 1)) { try file.sealed().decoded() }
  }

  @Test func `tensors of a terabyte are refused before anything is allocated`() throws {
    var file = valid
    let tensor =
      HostileFile.string("") + [1, 0, 2, 0] + HostileFile.littleEndian(UInt32(65_536))
      + HostileFile.littleEndian(UInt32(4_096))
    file[.tensors] =
      HostileFile.littleEndian(UInt32(1_024)) + repeatElement(tensor, count: 1_024).joined()
    #expect(throws: ModelError.format(.weightsLength, offset: file.start(of: .weights))) {
      try file.sealed().decoded()
    }
  }
}
