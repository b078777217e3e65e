extension ModelDescription {
  /// Validates the description and writes it as the bytes of a `.runnel` file.
  ///
  /// There is one encoding of a description: the same model gives the same bytes everywhere, and
  /// reading and writing again changes nothing.
  ///
  /// - Throws: The first fault of the description.
  /// - Complexity: O(size of the description).
  public func encoded() throws(ModelError) -> [UInt8] {
    _ = try validate()
    let crc = CRC32C()
    var writer = ByteWriter()
    var table = ByteWriter()
    writer.zeros(FileLayout.tableEnd)
    for kind in SectionKind.allCases {
      let start = writer.bytes.count
      switch kind {
      case .programs: writer.programsSection(states: states, programs: programs)
      case .tensors: writer.tensorsSection(tensors)
      case .weights: writer.weightsSection(tensors)
      case .metadata: writer.metadataSection(metadata)
      case .golden: writer.goldenSection(golden, programs: programs)
      }
      let end = writer.bytes.count
      guard FileLayout.aligned(end) <= FormatLimits.fileBytes else {
        throw .format(.fileTooLarge, offset: FormatLimits.fileBytes)
      }
      table.u32(Int(kind.rawValue))
      table.u32(Int(crc.checksum(of: writer.bytes.span.extracting(start..<end))))
      table.u64(end - start)
      writer.zeros(FileLayout.aligned(end) - end)
    }

    var header = ByteWriter()
    header.numbers(FileLayout.signature)
    header.u32(FileLayout.version)
    header.u32(SectionKind.allCases.count)
    header.u64(writer.bytes.count)
    writer.overwrite(at: 0, with: header)
    writer.overwrite(at: FileLayout.headerEnd, with: table)
    var checksum = ByteWriter()
    checksum.u32(Int(FileLayout.headerChecksum(of: writer.bytes.span, crc)))
    writer.overwrite(at: FileLayout.headerChecksumOffset, with: checksum)
    return writer.bytes
  }
}
