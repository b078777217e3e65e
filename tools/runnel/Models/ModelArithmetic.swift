import Runnel

extension ModelDescription {
  /// The multiply-adds of each operation of a program: one for each weight of its matrices, and of a
  /// scaling, in each window; none of what has no weights.
  func multiplyAddsOfOperations(program: Int) -> [Int] {
    zip(programs[program].operations, windows(program: program)).map { operation, windows in
      operation.weighted.reduce(0) { $0 + windows * tensors[$1].shape.reduce(1, *) }
    }
  }

  /// The multiply-adds of a frame of a program.
  func multiplyAdds(program: Int) -> Int {
    multiplyAddsOfOperations(program: program).reduce(0, +)
  }

  /// The multiply-adds of a frame of a program that are products of matrices.
  func matrixMultiplyAdds(program: Int) -> Int {
    zip(programs[program].operations, multiplyAddsOfOperations(program: program)).reduce(0) {
      $0 + ($1.0.hasMatrices ? $1.1 : 0)
    }
  }

  /// How many windows each operation of a program sees in a frame.
  private func windows(program: Int) -> [Int] {
    guard let shapes = try? validate() else { preconditionFailure("the model was loaded") }
    let (inputs, sizes) = (programs[program].inputs.count, shapes[program].slotSizes)
    return programs[program].operations.enumerated().map { index, operation in
      switch operation.code {
      case .convolution: sizes[inputs + index] / tensors[operation.tensors[0]].shape[0]
      case .depthwise: sizes[inputs + index] / tensors[operation.tensors[0]].shape[1]
      default: 1
      }
    }
  }

  /// The tensors of all matrices that frames are multiplied by, without repetition.
  var matrices: [Int] {
    Set(programs.flatMap(\.operations).flatMap(\.matrices)).sorted()
  }

  /// The kinds of the first program's recurrent operations, such as `gruResetAfter`.
  var cellNames: String {
    let cells = programs[0].operations.filter { $0.hasMatrices && !$0.states.isEmpty }
      .map { "\($0.code)" }
    return cells.isEmpty ? "none" : cells.joined(separator: "+")
  }

  /// The size of the first state, the hidden state of the first cell.
  var hiddenSize: Int { states.first?.size ?? 0 }

  /// How the matrices are stored, such as `f32`, or `int8+f32` where they differ.
  var weightNames: String {
    let types = Set(matrices.map { tensors[$0].type })
    let names = WeightType.names.filter { types.contains($0.value) }.map(\.key)
    return names.isEmpty ? "none" : names.joined(separator: "+")
  }
}

extension ModelOperation {
  /// The tensors whose every element is multiplied once in a frame.
  fileprivate var weighted: [Int] {
    code == .affine || code == .depthwise ? [tensors[0]] : Array(matrices)
  }
}

extension TensorDescription {
  /// How the numbers are stored.
  var type: WeightType {
    switch storage {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    }
  }
}

extension WeightType {
  /// The types by their names on the command line, the smallest last.
  static var names: KeyValuePairs<String, WeightType> {
    ["f32": .float32, "f16": .float16, "bf16": .bfloat16, "int8": .int8]
  }

  /// The name on the command line.
  var name: String { Self.names.first { $0.value == self }!.key }
}
