/// How a matrix is stored, and multiplied with vectors.
///
/// States and sums are 32-bit floats with each of them.
public enum WeightType: String, CaseIterable, Equatable, Sendable {
  /// 32-bit floats.
  case float32
  /// Half-precision floats; vectors stay 32-bit floats.
  case float16
  /// bfloat16; vectors are rounded to it for the product.
  case bfloat16
  /// 8-bit integers with a scale for each row; vectors are rounded to integers of 16 bits (or of 8,
  /// see ``ModelOperation/inputBits``) for the product.
  case int8
}

extension TensorDescription {
  /// How the numbers are stored.
  public var type: WeightType {
    switch storage {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    }
  }

  /// The tensor with its numbers rounded to another type.
  ///
  /// int8 has for each row the scale that makes its largest magnitude 127; a row of which no number
  /// reaches 2^-60, below which weights count as zero, becomes zeros. A number beyond the range of
  /// float16 or bfloat16 becomes infinite, so that the result is refused where it is validated.
  public func converted(to type: WeightType) -> TensorDescription {
    let values = values
    let storage: Storage =
      switch type {
      case .float32: .float32(values)
      case .float16: .float16(values.map { Float16($0).bitPattern })
      case .bfloat16: .bfloat16(values.map { $0.bfloat16 })
      case .int8: Self.integers(values, rows: shape[0])
      }
    return TensorDescription(name: name, shape: shape, storage: storage)
  }

  private static func integers(_ values: [Float], rows: Int) -> Storage {
    let columns = values.count / max(1, rows)
    var integers: [Int8] = []
    var scales: [Float] = []
    for row in 0..<rows {
      let row = values[row * columns..<(row + 1) * columns]
      let largest = row.reduce(0) { max($0, $1.magnitude) }
      // Quotients of denormal numbers could be far from what they should be, and beyond 127.
      let scale = largest < 0x1p-60 ? 0 : largest / 127
      scales.append(scale)
      integers += row.map { scale > 0 ? Int8(($0 / scale).rounded(.toNearestOrEven)) : 0 }
    }
    return .int8(integers, scales: scales)
  }
}

extension Float {
  /// The bits of the nearest bfloat16, the even one of two, for a finite number.
  var bfloat16: UInt16 {
    UInt16(truncatingIfNeeded: (bitPattern + 0x7FFF + (bitPattern >> 16 & 1)) >> 16)
  }
}

extension ModelDescription {
  /// The description with the matrices of its cells and dense layers rounded to a type; biases,
  /// embeddings and everything else stay as they are.
  ///
  /// - Parameters:
  ///   - type: The type.
  ///   - inputBits: The bits of vectors, 8 or 16, where the type is int8.
  /// - Complexity: O(weights).
  public func converted(to type: WeightType, inputBits: Int = 16) -> ModelDescription {
    precondition(inputBits == 8 || inputBits == 16, "inputBits is 8 or 16")
    var description = self
    var matrices: Set<Int> = []
    for program in programs.indices {
      for index in programs[program].operations.indices {
        let operation = programs[program].operations[index]
        matrices.formUnion(operation.matrices)
        description.programs[program].operations[index].inputBits =
          operation.hasMatrices && type == .int8 ? inputBits : 16
      }
    }
    for matrix in matrices {
      description.tensors[matrix] = tensors[matrix].converted(to: type)
    }
    return description
  }

  /// The description with all its tanh and sigmoid of an accuracy.
  public func settingAccuracy(_ accuracy: ModelOperation.Accuracy) -> ModelDescription {
    var description = self
    for program in programs.indices {
      for index in programs[program].operations.indices
      where programs[program].operations[index].hasActivations {
        description.programs[program].operations[index].accuracy = accuracy
      }
    }
    return description
  }
}
