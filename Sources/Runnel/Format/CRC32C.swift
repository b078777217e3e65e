/// The CRC-32C checksum (Castagnoli; as in iSCSI, RFC 3720): polynomial 0x1EDC6F41, bits in and out
/// reflected, start and final exclusive-or 0xFFFFFFFF.
///
/// Any single flipped bit and any burst of up to 32 bits changes it. Eight bytes a turn, by eight
/// tables (M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance
/// Software-based CRC Generators", 2005).
package struct CRC32C: Sendable {
  /// `tables[256 k + b]` is the remainder of byte `b` followed by `k` zero bytes; 2,048 entries.
  private let tables: [UInt32]

  /// Computes the tables, once for many checksums.
  package init() {
    var tables: [UInt32] = []
    tables.reserveCapacity(2_048)
    for byte: UInt32 in 0..<256 {
      var remainder = byte
      // 0x82F63B78 is the polynomial with its bits reversed.
      for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
      tables.append(remainder)
    }
    for position in 256..<2_048 {
      let previous = tables[position - 256]
      tables.append(previous >> 8 ^ tables[Int(previous & 0xFF)])
    }
    self.tables = tables
  }

  /// The checksum of `bytes`, or of what gave `start` followed by `bytes`.
  ///
  /// The checksum of the nine bytes `123456789` is 0xE3069283.
  package func checksum(of bytes: Span<UInt8>, continuing start: UInt32 = 0) -> UInt32 {
    var crc = ~start
    var position = 0
    while position + 8 <= bytes.count {
      let low = crc ^ word(bytes, at: position)
      let high = word(bytes, at: position + 4)
      crc = entry(7, low) ^ entry(6, low >> 8) ^ entry(5, low >> 16) ^ entry(4, low >> 24)
      crc ^= entry(3, high) ^ entry(2, high >> 8) ^ entry(1, high >> 16) ^ entry(0, high >> 24)
      position += 8
    }
    while position < bytes.count {
      crc = crc >> 8 ^ entry(0, crc ^ UInt32(bytes[position]))
      position += 1
    }
    return ~crc
  }

  /// The table entry for the lowest byte of `value`, followed by `zeros` zero bytes.
  private func entry(_ zeros: Int, _ value: UInt32) -> UInt32 {
    tables[zeros << 8 | Int(value & 0xFF)]
  }

  /// Four bytes, the first one lowest.
  private func word(_ bytes: Span<UInt8>, at position: Int) -> UInt32 {
    UInt32(bytes[position]) | UInt32(bytes[position + 1]) << 8
      | UInt32(bytes[position + 2]) << 16 | UInt32(bytes[position + 3]) << 24
  }
}
