/// Bytes of a file as it grows, little-endian.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func u8(_ value: Int) { integer(UInt8(value)) }
  mutating func u16(_ value: Int) { integer(UInt16(value)) }
  mutating func u32(_ value: Int) { integer(UInt32(value)) }
  mutating func u64(_ value: Int) { integer(UInt64(value)) }
  mutating func f32(_ value: Float) { integer(value.bitPattern) }

  /// Writes a length in bytes, and the bytes.
  mutating func string(_ text: String) {
    u32(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  /// Writes numbers one behind the other.
  mutating func numbers<Number: BitwiseCopyable>(_ values: [Number]) {
    unsafe values.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }

  /// Writes zeros.
  mutating func zeros(_ count: Int) {
    bytes.append(contentsOf: repeatElement(0, count: count))
  }

  /// Writes other bytes in the place of those from `offset` on.
  mutating func overwrite(at offset: Int, with other: ByteWriter) {
    bytes.replaceSubrange(offset..<offset + other.bytes.count, with: other.bytes)
  }

  private mutating func integer<Integer: FixedWidthInteger>(_ value: Integer) {
    for position in 0..<MemoryLayout<Integer>.size {
      bytes.append(UInt8(truncatingIfNeeded: value >> (8 * position)))
    }
  }
}
