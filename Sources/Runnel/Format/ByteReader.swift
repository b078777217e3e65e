#if !_endian(little)
  #error("The format is little-endian, and arrays of numbers are copied as they are.")
#endif

/// A cursor over a part of a file, which never leaves that part.
///
/// Every failure carries the offset in the file of the value that is wrong. Nothing is allocated
/// before it is known that its bytes are there.
struct ByteReader: ~Escapable {
  private let file: Span<UInt8>
  /// The offset in the file of the next byte.
  private(set) var offset: Int
  /// The offset in the file behind the last byte that may be read.
  private let end: Int

  /// A cursor over the bytes of `range`, which must be within the file.
  @_lifetime(copy file)
  init(_ file: Span<UInt8>, range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= file.count)
    self.file = file
    self.offset = range.lowerBound
    self.end = range.upperBound
  }

  mutating func u8() throws(ModelError) -> UInt8 { try integer() }
  mutating func u16() throws(ModelError) -> UInt16 { try integer() }
  mutating func u32() throws(ModelError) -> UInt32 { try integer() }
  mutating func u64() throws(ModelError) -> UInt64 { try integer() }
  mutating func f32() throws(ModelError) -> Float { Float(bitPattern: try integer()) }

  /// Reads the length of a list, of which each element takes at least `size` bytes of this part.
  mutating func count(limit: Int, elementBytes size: Int) throws(ModelError) -> Int {
    let start = offset
    let count = Int(try u32())
    guard count <= limit else { throw .format(.countTooLarge, offset: start) }
    guard count * size <= end - offset else { throw .format(.sectionTooShort, offset: start) }
    return count
  }

  /// Reads a length in bytes, and as many bytes of UTF-8.
  mutating func string() throws(ModelError) -> String {
    let count = try count(limit: FormatLimits.stringBytes, elementBytes: 1)
    let start = offset
    offset += count
    guard let text = try? UTF8Span(validating: file.extracting(start..<offset)) else {
      throw .format(.invalidUTF8, offset: start)
    }
    return String(copying: text)
  }

  /// Reads `count` numbers that stand one behind the other.
  mutating func numbers<Number: BitwiseCopyable>(
    _ count: Int, of type: Number.Type = Number.self
  ) throws(ModelError) -> [Number] {
    let byteCount = count * MemoryLayout<Number>.stride
    try require(byteCount)
    let source = file.extracting(offset..<offset + byteCount)
    offset += byteCount
    // SAFETY: Every bit pattern is a number, and the two buffers have `byteCount` bytes each.
    return unsafe [Number](unsafeUninitializedCapacity: count) { target, initialisedCount in
      unsafe source.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
      }
      initialisedCount = count
    }
  }

  /// Skips bytes up to `target`, which must all be zero.
  mutating func zeros(upTo target: Int, else fault: FormatFault) throws(ModelError) {
    try require(target - offset)
    while offset < target {
      guard file[offset] == 0 else { throw .format(fault, offset: offset) }
      offset += 1
    }
  }

  /// Skips a byte or more, which must all be zero.
  mutating func zeros(_ count: Int, else fault: FormatFault) throws(ModelError) {
    try zeros(upTo: offset + count, else: fault)
  }

  /// Ends reading, which must have come to the end of the part.
  func finish() throws(ModelError) {
    guard offset == end else { throw .format(.sectionTooLong, offset: offset) }
  }

  private mutating func integer<Integer: FixedWidthInteger>() throws(ModelError) -> Integer {
    let size = MemoryLayout<Integer>.size
    try require(size)
    var value: Integer = 0
    for position in 0..<size {
      value |= Integer(truncatingIfNeeded: file[offset + position]) << (8 * position)
    }
    offset += size
    return value
  }

  private func require(_ byteCount: Int) throws(ModelError) {
    guard byteCount <= end - offset else { throw .format(.sectionTooShort, offset: offset) }
  }
}
