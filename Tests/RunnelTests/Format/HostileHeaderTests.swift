import Runnel
import TestSupport
import Testing

/// Files whose header or section table was changed and given a right checksum again.
@Suite struct HostileHeaderTests {
  let valid: [UInt8]

  init() throws {
    let model = RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 4, seed: 1)
    valid = try model.withGoldenFrames(2, seed: 2).encoded()
    // The twin that nothing was done to is accepted.
    _ = try HostileFile.sealedHeader(valid).decoded()
  }

  private func expect<Value: FixedWidthInteger>(
    _ fault: FormatFault, at offset: Int, writing value: Value, at position: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var file = valid
    file.overwrite(at: position, with: value)
    #expect(throws: ModelError.format(fault, offset: offset), sourceLocation: sourceLocation) {
      try HostileFile.sealedHeader(file).decoded()
    }
  }

  @Test(arguments: [0, 2, 256, .max] as [UInt32])
  func `another version is refused`(version: UInt32) {
    expect(.version, at: 8, writing: version, at: 8)
  }

  @Test(arguments: [0, 4, 6, .max] as [UInt32])
  func `another number of sections is refused`(count: UInt32) {
    expect(.sectionCount, at: 12, writing: count, at: 12)
  }

  @Test(arguments: 0..<64)
  func `a feature that the reader does not have is refused`(bit: Int) {
    expect(.unknownFeature, at: 24, writing: UInt64(1) << bit, at: 24)
  }

  @Test func `another length of the file is refused`() {
    let length = UInt64(valid.count)
    expect(.truncated, at: valid.count, writing: length + 64, at: 16)
    expect(.trailingBytes, at: valid.count - 64, writing: length - 64, at: 16)
    expect(.trailingBytes, at: 0, writing: UInt64(0), at: 16)
    expect(.truncated, at: valid.count, writing: UInt64(1) << 31, at: 16)
    expect(.fileTooLarge, at: 16, writing: UInt64(1) << 31 + 1, at: 16)
    expect(.fileTooLarge, at: 16, writing: UInt64.max, at: 16)
  }

  @Test(arguments: 32..<60)
  func `a reserved byte of the header that is not zero is refused`(offset: Int) {
    expect(.reserved, at: offset, writing: UInt8(1), at: offset)
  }

  @Test(arguments: 144..<192)
  func `a reserved byte of the table that is not zero is refused`(offset: Int) {
    expect(.reserved, at: offset, writing: UInt8(1), at: offset)
  }

  @Test(arguments: 0..<5)
  func `a section of another kind is refused`(section: Int) {
    let entry = 64 + 16 * section
    for kind: UInt32 in 0...6 where Int(kind) != section + 1 {
      expect(.sectionKind, at: entry, writing: kind, at: entry)
    }
  }

  @Test(arguments: 0..<5)
  func `a section that is longer than the file is refused`(section: Int) {
    let entry = 64 + 16 * section
    for length in [UInt64(valid.count), 1 << 31, 1 << 63, .max, .max - 63] {
      expect(.sectionLength, at: entry + 8, writing: length, at: entry + 8)
    }
  }

  @Test func `sections that leave bytes over are refused`() {
    // The golden section is the last one and longer than 64 bytes.
    expect(.sectionLength, at: 136, writing: UInt64(1), at: 136)
  }

  @Test func `a header without a table is refused`() {
    var file = [UInt8](valid[..<64])
    file.overwrite(at: 16, with: UInt64(64))
    #expect(throws: ModelError.format(.truncated, offset: 64)) { try file.decoded() }
  }

  @Test func `zeros between sections that are not zero are refused`() throws {
    let file = HostileFile(valid)
    for section in HostileFile.Section.allCases {
      let end = file.start(of: section) + file[section].count
      for offset in end..<(end + 63) & ~63 {
        var changed = valid
        changed[offset] = 1
        #expect(throws: ModelError.format(.padding, offset: offset)) { try changed.decoded() }
      }
    }
  }

  @Test(arguments: 0..<5)
  func `a section with another checksum is refused`(section: Int) throws {
    let start = HostileFile(valid).start(of: HostileFile.Section(rawValue: section)!)
    expect(.sectionChecksum, at: start, writing: UInt32(0x1234_5678), at: 64 + 16 * section + 4)
  }

  @Test func `a header with another checksum is refused`() {
    var file = valid
    file.overwrite(at: 60, with: UInt32(0))
    #expect(throws: ModelError.format(.headerChecksum, offset: 60)) { try file.decoded() }
  }
}
