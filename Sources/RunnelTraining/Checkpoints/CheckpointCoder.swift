internal import Runnel

/// Writes the numbers of a checkpoint, little-endian, one behind the other.
struct CheckpointWriter {
  private(set) var bytes: [UInt8] = []

  mutating func integer<Integer: FixedWidthInteger>(_ value: Integer) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
  mutating func count(_ value: Int) { integer(UInt64(value)) }
  mutating func double(_ value: Double) { integer(value.bitPattern) }
  mutating func flag(_ value: Bool) { integer(UInt8(value ? 1 : 0)) }

  mutating func floats(_ values: [Float]) {
    count(values.count)
    for value in values { integer(value.bitPattern) }
  }
}

/// Reads the numbers of a checkpoint; whatever does not fit is damage.
struct CheckpointReader {
  private let bytes: ArraySlice<UInt8>
  private var offset: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    offset = bytes.startIndex
  }

  var isAtEnd: Bool { offset == bytes.endIndex }

  mutating func integer<Integer: FixedWidthInteger & UnsignedInteger>(
    _: Integer.Type = Integer.self
  ) throws(TrainingError) -> Integer {
    let size = MemoryLayout<Integer>.size
    guard bytes.endIndex - offset >= size else { throw .checkpointDamaged }
    var value: Integer = 0
    for i in 0..<size { value |= Integer(bytes[offset + i]) << Integer(8 * i) }
    offset += size
    return value
  }

  mutating func count() throws(TrainingError) -> Int {
    guard let count = Int(exactly: try integer(UInt64.self)) else { throw .checkpointDamaged }
    return count
  }
  mutating func double() throws(TrainingError) -> Double { Double(bitPattern: try integer()) }

  mutating func flag() throws(TrainingError) -> Bool {
    switch try integer(UInt8.self) {
    case 0: return false
    case 1: return true
    default: throw .checkpointDamaged
    }
  }

  /// As many numbers as are there, which must be `count`.
  mutating func floats(_ count: Int) throws(TrainingError) -> [Float] {
    guard try self.count() == count, (bytes.endIndex - offset) / 4 >= count else {
      throw .checkpointDamaged
    }
    var values: [Float] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(Float(bitPattern: try integer())) }
    return values
  }
}
