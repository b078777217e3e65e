import Runnel

extension ModelDescription {
  /// The multiply-adds of an operation: one for each weight of its matrices, one for each element of
  /// an affine scaling, none of what has no weights.
  func multiplyAdds(_ operation: ModelOperation) -> Int {
    operation.weighted.reduce(0) { $0 + tensors[$1].shape.reduce(1, *) }
  }

  /// The multiply-adds of a frame of a program.
  func multiplyAdds(program: Int) -> Int {
    programs[program].operations.reduce(0) { $0 + multiplyAdds($1) }
  }

  /// The multiply-adds of a frame of a program that are products of matrices.
  func matrixMultiplyAdds(program: Int) -> Int {
    programs[program].operations.flatMap(\.matrices).reduce(0) {
      $0 + tensors[$1].shape.reduce(1, *)
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
  fileprivate var weighted: [Int] { code == .affine ? [tensors[0]] : Array(matrices) }
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
