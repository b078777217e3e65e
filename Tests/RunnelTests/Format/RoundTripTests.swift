import Runnel
import TestSupport
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: Cell.allCases, StorageFormat.allCases)
  func `a model that is written and read is the same`(cell: Cell, format: StorageFormat) throws {
    for (seed, hiddenSize) in [(UInt64(1), 1), (2, 7), (3, 16), (4, 33)] {
      let model = RandomModels.stack(
        cell, inputSize: 5, hiddenSize: hiddenSize, layers: 2, headSize: 3, seed: seed
      ).stored(as: format).withGoldenFrames(3, seed: seed)
      try expectRoundTrip(of: model)
    }
  }

  @Test(arguments: StorageFormat.allCases)
  func `a model of every operation is the same`(format: StorageFormat) throws {
    var model = RandomModels.everyOperation(seed: 5)
    model.append(RandomModels.everyThirdFrame(seed: 5), name: "third")
    model.append(RandomModels.bothDirections(seed: 5), name: "both")
    let codes = Set(model.programs.flatMap { $0.operations.map(\.code) })
    #expect(codes == Set(ModelOperation.Code.allCases))
    try expectRoundTrip(of: model.stored(as: format).withGoldenFrames(4, seed: 6))
  }

  @Test func `metadata of any text is the same`() throws {
    var model = RandomModels.stack(.lstm, inputSize: 2, hiddenSize: 2, seed: 1)
    model.metadata.name = "Größe \u{65}\u{301} 👩‍👩‍👧 \0 \n"
    model.metadata.labels = ["", "a", "ä", String(repeating: "x", count: 65_535)]
    model.metadata.frameRate = 100.5
    model.metadata.entries["empty"] = []
    model.metadata.entries["~!{}"] = ["1", "2"]
    try expectRoundTrip(of: model)
    let read = try model.encoded().decoded()
    #expect(read.metadata.frameRate == 100.5)
    #expect(read.metadata.name == model.metadata.name)
  }

  @Test func `the bytes do not depend on the order in which metadata was set`() throws {
    var model = RandomModels.stack(.lstm, inputSize: 2, hiddenSize: 2, seed: 1)
    let keys = (0..<50).map { "key\($0)" }
    for key in keys { model.metadata.entries[key] = [key] }
    let bytes = try model.encoded()
    model.metadata = ModelMetadata()
    for key in keys.reversed() { model.metadata.entries[key] = [key] }
    #expect(try model.encoded() == bytes)
  }

  @Test func `a model without states, weights, metadata and golden frames is the same`() throws {
    try expectRoundTrip(
      of: ModelDescription(
        programs: [
          ProgramDescription(
            inputs: [InputPort(name: "x", size: 1)], operations: [],
            outputs: [OutputPort(name: "x", slot: 0)])
        ]))
  }

  @Test func `sections and weights start at multiples of 64 bytes`() throws {
    let model = RandomModels.stack(.gruResetAfter, inputSize: 3, hiddenSize: 5, seed: 1)
    let bytes = try model.encoded()
    #expect(bytes.count % 64 == 0)
    let start = HostileFile(bytes).start(of: .weights)
    #expect(start % 64 == 0)
    // 15 × 3 floats are 180 bytes, so the second tensor starts at 192.
    guard case .float32(let recurrentWeights) = model.tensors[1].storage else { return }
    let first = HostileFile.littleEndian(recurrentWeights[0].bitPattern)
    #expect([UInt8](bytes[start + 192..<start + 196]) == first)
  }

  private func expectRoundTrip(of model: ModelDescription) throws {
    let bytes = try model.encoded()
    let read = try bytes.decoded()
    #expect(read == model)
    #expect(try read.encoded() == bytes)
  }
}
