import Runnel

/// A valid file, to be changed and then sealed again with right lengths and checksums, so that only
/// the reader's checks of the contents stand between the change and the model.
package struct HostileFile {
  /// The sections, in their order.
  package enum Section: Int, CaseIterable, Sendable {
    case programs, tensors, weights, metadata, golden
  }

  private let header: [UInt8]
  private var payloads: [[UInt8]] = []

  /// Takes a valid file apart.
  package init(_ file: [UInt8]) {
    header = [UInt8](file[..<192])
    var start = 192
    for section in Section.allCases {
      // A test's file is small: the low bytes of its length will do.
      let entry = 64 + 16 * section.rawValue
      let length = (8..<12).reversed().reduce(0) { $0 << 8 | Int(file[entry + $1]) }
      payloads.append([UInt8](file[start..<start + length]))
      start = (start + length + 63) & ~63
    }
  }

  /// The payload of a section.
  package subscript(section: Section) -> [UInt8] {
    get { payloads[section.rawValue] }
    set { payloads[section.rawValue] = newValue }
  }

  /// Where a section starts in the sealed file.
  package func start(of section: Section) -> Int {
    payloads[..<section.rawValue].reduce(192) { ($0 + $1.count + 63) & ~63 }
  }

  /// The position in a section behind the first string that is `text`.
  package func position(behind text: String, in section: Section) -> Int {
    let needle = HostileFile.string(text)
    let payload = self[section]
    let start = payload.indices.first { payload[$0...].starts(with: needle) }
    guard let start else { preconditionFailure("no string '\(text)' in \(section)") }
    return start + needle.count
  }

  /// Replaces as many bytes as there are in `bytes`.
  package mutating func overwrite(_ section: Section, at position: Int, with bytes: [UInt8]) {
    self[section].replaceSubrange(position..<position + bytes.count, with: bytes)
  }

  /// The file, with right lengths and checksums.
  package func sealed() -> [UInt8] {
    let crc = CRC32C()
    var file = header
    for (number, payload) in payloads.enumerated() {
      file.overwrite(at: 64 + 16 * number + 4, with: crc.checksum(of: payload.span))
      file.overwrite(at: 64 + 16 * number + 8, with: UInt64(payload.count))
      file += payload
      file += repeatElement(0, count: -file.count & 63)
    }
    file.overwrite(at: 16, with: UInt64(file.count))
    return HostileFile.sealedHeader(file)
  }

  /// The file with a right checksum of its header, whatever its header says.
  package static func sealedHeader(_ file: [UInt8]) -> [UInt8] {
    let crc = CRC32C()
    let checksum = crc.checksum(
      of: file.span.extracting(64..<192),
      continuing: crc.checksum(of: file.span.extracting(..<60)))
    var sealed = file
    sealed.overwrite(at: 60, with: checksum)
    return sealed
  }

  /// The bytes of a string in a file.
  package static func string(_ text: String) -> [UInt8] {
    littleEndian(UInt32(text.utf8.count)) + text.utf8
  }

  /// The bytes of an integer in a file.
  package static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

extension [UInt8] {
  /// Replaces bytes from `offset` on by those of an integer.
  package mutating func overwrite(at offset: Int, with value: some FixedWidthInteger) {
    let bytes = HostileFile.littleEndian(value)
    replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }
}
