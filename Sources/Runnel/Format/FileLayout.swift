/// The sections of a file, all of them always there, in this order.
enum SectionKind: UInt32, CaseIterable {
  case programs = 1
  case tensors = 2
  case weights = 3
  case metadata = 4
  case golden = 5
}

/// Where things stand in a file of version 1.
///
///     0    signature, 8 bytes
///     8    u32 version
///     12   u32 number of sections
///     16   u64 length of the file
///     24   u64 features that a reader must have
///     32   zeros
///     60   u32 CRC-32C of bytes 0 ..< 60 and 64 ..< 192
///     64   section table: for each section u32 kind, u32 CRC-32C, u64 length
///     144  zeros
///     192  the sections, each padded with zeros to a multiple of 64 bytes
enum FileLayout {
  /// As PNG's: a byte that is not text, the name, and a line feed that a text transfer would spoil.
  static let signature: [UInt8] = [0x89, 0x52, 0x55, 0x4E, 0x4E, 0x45, 0x4C, 0x0A]
  static let version = 1
  static let headerEnd = 64
  static let headerChecksumOffset = 60
  static let tableEntrySize = 16
  static let tableEnd = 192

  /// The next multiple of 64, at which sections and the data of tensors start: a cache line, and
  /// the widest vector.
  static func aligned(_ count: Int) -> Int { (count + 63) & ~63 }

  /// The checksum of the header and the section table of a file that has both.
  static func headerChecksum(of file: Span<UInt8>, _ crc: CRC32C) -> UInt32 {
    let start = crc.checksum(of: file.extracting(..<headerChecksumOffset))
    return crc.checksum(of: file.extracting(headerEnd..<tableEnd), continuing: start)
  }
}
