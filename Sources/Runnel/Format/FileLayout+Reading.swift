extension FileLayout {
  /// Checks everything about a file but the contents of its sections.
  ///
  /// The order is: signature, version, features, lengths, the header's checksum, the section table,
  /// and for each section its padding and checksum.
  ///
  /// - Returns: Where each section stands, in the order of ``SectionKind``.
  static func sections(of file: Span<UInt8>) throws(ModelError) -> [Range<Int>] {
    for (offset, byte) in signature.enumerated() {
      guard offset < file.count else { throw .format(.truncated, offset: offset) }
      guard file[offset] == byte else { throw .format(.signature, offset: offset) }
    }
    guard file.count >= headerEnd else { throw .format(.truncated, offset: file.count) }
    var header = ByteReader(file, range: signature.count..<headerEnd)
    guard try header.u32() == version else { throw .format(.version, offset: 8) }
    let sectionCount = try header.u32()
    let length = try header.u64()
    guard try header.u64() == 0 else { throw .format(.unknownFeature, offset: 24) }
    guard sectionCount == SectionKind.allCases.count else {
      throw .format(.sectionCount, offset: 12)
    }
    guard length <= FormatLimits.fileBytes else { throw .format(.fileTooLarge, offset: 16) }
    guard length >= file.count else { throw .format(.trailingBytes, offset: Int(length)) }
    guard length == file.count, length >= tableEnd else {
      throw .format(.truncated, offset: file.count)
    }
    let crc = CRC32C()
    var checksum = ByteReader(file, range: headerChecksumOffset..<headerEnd)
    guard try checksum.u32() == headerChecksum(of: file, crc) else {
      throw .format(.headerChecksum, offset: headerChecksumOffset)
    }
    try header.zeros(upTo: headerChecksumOffset, else: .reserved)
    return try sections(of: file, crc)
  }

  private static func sections(
    of file: Span<UInt8>, _ crc: CRC32C
  ) throws(ModelError) -> [Range<Int>] {
    var table = ByteReader(file, range: headerEnd..<tableEnd)
    var sections: [Range<Int>] = []
    var checksums: [UInt32] = []
    var start = tableEnd
    for kind in SectionKind.allCases {
      let entry = table.offset
      guard try table.u32() == kind.rawValue else { throw .format(.sectionKind, offset: entry) }
      checksums.append(try table.u32())
      let length = try table.u64()
      // `start` may lie behind the end by the padding of the section before.
      guard start <= file.count, length <= file.count - start else {
        throw .format(.sectionLength, offset: entry + 8)
      }
      sections.append(start..<start + Int(length))
      start = aligned(start + Int(length))
    }
    guard start == file.count else {
      throw .format(.sectionLength, offset: table.offset - 8)
    }
    try table.zeros(upTo: tableEnd, else: .reserved)

    for (section, checksum) in zip(sections, checksums) {
      var padding = ByteReader(file, range: section.upperBound..<aligned(section.upperBound))
      try padding.zeros(upTo: aligned(section.upperBound), else: .padding)
      guard crc.checksum(of: file.extracting(section)) == checksum else {
        throw .format(.sectionChecksum, offset: section.lowerBound)
      }
    }
    return sections
  }
}
