package import Runnel
import RunnelReference

/// How a tensor's numbers can be stored.
package enum StorageFormat: CaseIterable, Sendable {
  case float32, float16, bfloat16, int8
}

extension TensorDescription {
  /// The tensor in another format, rounded to nearest; vectors stay as they are in int8.
  package func stored(as format: StorageFormat) -> TensorDescription {
    let values = doubles.map { Float($0) }
    switch format {
    case .float32:
      return TensorDescription(name: name, shape: shape, values: values)
    case .float16:
      let bits = values.map { Float16($0).bitPattern }
      return TensorDescription(name: name, shape: shape, storage: .float16(bits))
    case .bfloat16:
      // Half of the last kept bit, less one if that bit is even: ties go to even.
      let bits = values.map { value in
        UInt16((value.bitPattern + 0x7FFF + (value.bitPattern >> 16 & 1)) >> 16)
      }
      return TensorDescription(name: name, shape: shape, storage: .bfloat16(bits))
    case .int8:
      guard shape.count == 2 else { return self }
      let scales = (0..<shape[0]).map { row in
        values[row * shape[1]..<(row + 1) * shape[1]].map(abs).max()! / 127
      }
      let integers = values.indices.map { index -> Int8 in
        let scale = scales[index / shape[1]]
        return scale == 0 ? 0 : Int8((values[index] / scale).rounded())
      }
      return TensorDescription(name: name, shape: shape, storage: .int8(integers, scales: scales))
    }
  }
}

extension ModelDescription {
  /// The model with its weights in another format; initial states and numbers of elements stay as they
  /// are.
  package func stored(as format: StorageFormat) -> ModelDescription {
    let gathers = programs.flatMap(\.operations).filter { $0.code == .gather }
    let kept = Set(states.compactMap(\.initial) + gathers.flatMap(\.tensors))
    var model = self
    for index in tensors.indices where !kept.contains(index) {
      model.tensors[index] = tensors[index].stored(as: format)
    }
    return model
  }
}
