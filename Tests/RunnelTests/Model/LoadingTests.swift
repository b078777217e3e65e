import Runnel
import TestSupport
import Testing

@Suite struct LoadingTests {
  /// Dense layers one behind the other, with one matrix and a bias each.
  private func stack(_ layers: Int, size: Int) -> ModelDescription {
    var operations: [ModelOperation] = []
    var tensors = [
      TensorDescription(
        name: "W", shape: [size, size], values: .init(repeating: 0, count: size * size))
    ]
    for layer in 0..<layers {
      tensors.append(
        TensorDescription(name: "b", shape: [size], values: .init(repeating: 0, count: size)))
      operations.append(.dense(input: layer, weights: 0, bias: layer + 1))
    }
    return ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "x", size: size)], operations: operations,
          outputs: [OutputPort(name: "y", slot: layers)])
      ],
      tensors: tensors)
  }

  @Test func `a small file cannot demand much memory by using a matrix again and again`() throws {
    #expect(try Model(stack(20, size: 256)).weightByteCount == 20 * 257 * 256 * 4)
    #expect(throws: ModelError.program(.weightsTooLarge, program: 0, operation: 94)) {
      try Model(stack(1000, size: 256))
    }
  }

  @Test(arguments: Cell.allCases)
  func `a model with single units packs into 16 floats a weight and no more`(cell: Cell) throws {
    let description = RandomModels.stack(cell, inputSize: 1, hiddenSize: 1, layers: 40, seed: 1)
    let weights = description.tensors.reduce(0) { $0 + $1.values.count }
    #expect(try Model(description).weightByteCount == weights * 16 * 4)
  }

  @Test func `programs that use the same weights share them`() throws {
    var description = RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 20, seed: 1)
    let alone = try Model(description).weightByteCount
    description.programs.append(description.programs[0])
    description.programs[1].name = "again"
    #expect(try Model(description).weightByteCount == alone)
  }

  @Test func `a session's memory is known from the model`() throws {
    let model = try Model(
      RandomModels.stack(.gruResetAfter, inputSize: 12, hiddenSize: 64, seed: 1))
    // Two buffers of 64 floats, and a frame of 12 padded to 16.
    #expect(model.sessionByteCount == 2 * 64 * 4 + 64)
  }
}
