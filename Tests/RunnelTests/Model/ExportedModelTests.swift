import Foundation
import Runnel
import TestSupport
import Testing

/// Files that `tools/python/make_exported.py` made of PyTorch modules, whose golden frames have PyTorch's
/// own predictions.
@Suite struct ExportedModelTests {
  static let names = ["strided", "both-directions", "within-frames", "normalised-cell"]

  private static func description(_ name: String) throws -> ModelDescription {
    try ModelDescription(path: Fixture.folder.appending(path: "exported-\(name).runnel").path())
  }

  @Test(arguments: names, InstructionLevel.available)
  func `an exported module predicts what PyTorch predicted`(
    name: String, level: InstructionLevel
  ) throws {
    let model = try Model(Self.description(name), options: ModelOptions(level: level))
    let verification = model.verify()
    #expect(verification.ok)
    #expect(verification.frames >= 16)
    #expect(verification.maxDeviation <= 1e-6)
    let golden = model.description.golden.runs[0].predictions
    #expect(golden.contains { $0.magnitude > 0.01 })
  }

  @Test(arguments: names)
  func `another weight would be noticed`(name: String) throws {
    var description = try Self.description(name)
    let matrix = try #require(description.programs[0].operations.first { $0.hasMatrices }).tensors[
      0]
    let tensor = description.tensors[matrix]
    description.tensors[matrix] = TensorDescription(
      name: tensor.name, shape: tensor.shape, values: tensor.values.map { -$0 })
    #expect(try !Model(description).verify().ok)
  }
}
