extension TensorDescription {
  /// The product of the dimensions; it cannot overflow for a shape that is within the limits.
  package var elementCount: Int { shape.reduce(1, *) }

  /// What is wrong with the tensor in itself, if anything is.
  var fault: TensorFault? {
    guard name.utf8.count <= FormatLimits.stringBytes else { return .nameTooLong }
    guard 1...FormatLimits.rank ~= shape.count else { return .rank }
    for dimension in shape where !(1...FormatLimits.dimension ~= dimension) { return .dimension }
    guard elementCount <= FormatLimits.tensorElements else { return .tooLarge }
    guard storage.count == elementCount else { return .elementCount }
    return storage.faultOfNumbers(rows: shape[0])
  }
}

extension TensorDescription.Storage {
  /// How many numbers are stored, not counting scales.
  fileprivate var count: Int {
    switch self {
    case .float32(let values): values.count
    case .float16(let bits), .bfloat16(let bits): bits.count
    case .int8(let integers, _): integers.count
    }
  }

  /// Whether every weight is a finite number, for a tensor of `rows` rows.
  fileprivate func faultOfNumbers(rows: Int) -> TensorFault? {
    switch self {
    case .float32(let values):
      return values.allFinite ? nil : .nonFinite
    case .float16(let bits):
      return bits.allFinite(exponent: 0x7C00) ? nil : .nonFinite
    case .bfloat16(let bits):
      return bits.allFinite(exponent: 0x7F80) ? nil : .nonFinite
    case .int8(_, let scales):
      guard scales.count == rows else { return .scaleCount }
      // The largest weight of a row is 128 × scale.
      for scale in scales where !(scale >= 0 && (scale * 128).isFinite) { return .scale }
      return nil
    }
  }
}

extension [Float] {
  /// Whether no element is infinite or not a number.
  ///
  /// Those are the numbers whose exponent is all ones. The maximum, unlike a search, has no branch
  /// in its loop, so that it runs on vectors.
  package var allFinite: Bool {
    var largest: UInt32 = 0
    for value in self { largest = Swift.max(largest, value.bitPattern & 0x7F80_0000) }
    return largest < 0x7F80_0000
  }
}

extension [UInt16] {
  /// Whether no element has all the bits of `exponent`, as the infinities and NaNs of a 16-bit
  /// format have.
  fileprivate func allFinite(exponent: UInt16) -> Bool {
    var largest: UInt16 = 0
    for bits in self { largest = Swift.max(largest, bits & exponent) }
    return largest < exponent
  }
}
