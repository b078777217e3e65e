import RunnelTraining
import Testing

@Suite struct NoiseTests {
  /// What a layer makes of 10,000 ones, by way of a dense layer that passes them on.
  private func outputs(_ layer: LayerSpecification, noiseKey: UInt64?) throws -> [Double] {
    var probe = try NetworkProbe(
      NetworkSpecification(
        input: .vector(size: 1), layers: [layer, .dense(size: 1)], loss: .meanSquaredError),
      lengths: [10_000])
    probe.parameters = [1, 0]
    probe.frames = Array(repeating: 1, count: 10_000)
    probe.noiseKey = noiseKey
    return probe.run().outputs
  }

  @Test func `Dropout zeroes its share, and scales the others so that the mean stays`() throws {
    let outputs = try outputs(.dropout(rate: 0.25), noiseKey: 1)
    #expect(Set(outputs).sorted() == [0, 1 / 0.75])
    #expect(abs(Double(outputs.filter { $0 == 0 }.count) - 2_500) < 150)
  }

  @Test func `Noise has mean 0 and the deviation that is asked for`() throws {
    let noise = try outputs(.noise(deviation: 0.5), noiseKey: 1).map { $0 - 1 }
    #expect(abs(noise.reduce(0, +) / 10_000) < 0.02)
    #expect(abs(noise.map { $0 * $0 }.reduce(0, +) / 10_000 - 0.25) < 0.015)
  }

  @Test func `An offset is the same in all frames of a stream, and differs between streams`() throws
  {
    var probe = try NetworkProbe(
      NetworkSpecification(
        input: .vector(size: 1), layers: [.offset(deviation: 0.5), .dense(size: 1)],
        loss: .meanSquaredError),
      lengths: Array(repeating: 3, count: 5_000))
    probe.parameters = [1, 0]
    probe.frames = Array(repeating: 1, count: 15_000)
    probe.noiseKey = 1
    let outputs = probe.run().outputs
    let offsets = outputs[..<5_000].map { $0 - 1 }
    #expect(Array(outputs[5_000..<10_000]) == Array(outputs[..<5_000]))
    #expect(Array(outputs[10_000...]) == Array(outputs[..<5_000]))
    #expect(Set(offsets).count > 4_900)
    #expect(abs(offsets.reduce(0, +) / 5_000) < 0.03)
    #expect(abs(offsets.map { $0 * $0 }.reduce(0, +) / 5_000 - 0.25) < 0.02)
  }

  @Test(arguments: [
    LayerSpecification.dropout(rate: 0.5), .noise(deviation: 0.5), .offset(deviation: 0.5),
  ])
  func `All are off when the network is not being trained`(_ layer: LayerSpecification) throws {
    #expect(try outputs(layer, noiseKey: nil).allSatisfy { $0 == 1 })
  }
}
