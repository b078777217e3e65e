import Runnel
import RunnelTraining
import Testing

@Suite struct DeterminismTests {
  private func network(
    threads: Int, seed: UInt64 = 3, window: Int? = nil, minimumCrop: Float? = 0.5
  ) throws -> TrainedNetwork {
    try Trainer(
      specification: Problem.noisyNetwork(.lstm(hidden: 16)),
      settings: TrainingSettings(
        epochs: 3, batchSize: 40, window: window, averaging: 0.9, validationFraction: 0.2,
        minimumCropFraction: minimumCrop, seed: seed, threads: threads),
      training: Problem.raised(count: 130)
    ).run()
  }

  @Test(arguments: [2, 3, 8])
  func `Any number of threads gives the same bits`(threads: Int) throws {
    let (one, many) = (try network(threads: 1), try network(threads: threads))
    #expect(one.parameters == many.parameters)
    #expect(one.history == many.history)
  }

  @Test func `Any number of threads gives the same bits with windows`() throws {
    let one = try network(threads: 1, window: 3)
    #expect(try one.parameters == network(threads: 2, window: 3).parameters)
    #expect(try one.parameters != network(threads: 1).parameters)
  }

  @Test func `Any number of threads gives the same bits where gradients are many`() throws {
    func parameters(threads: Int) throws -> [Float] {
      try Trainer(
        specification: Problem.noisyNetwork(.lstm(hidden: 80)),
        settings: TrainingSettings(epochs: 1, batchSize: 128, seed: 3, threads: threads),
        training: Problem.raised(count: 130)
      ).run().parameters
    }
    let one = try parameters(threads: 1)
    // So many that several threads add them up.
    #expect(one.count > 1 << 14)
    #expect(try parameters(threads: 8) == one)
  }

  @Test func `The same seed gives the same bits, another one others`() throws {
    let first = try network(threads: 2)
    #expect(try first.parameters == network(threads: 2).parameters)
    #expect(try first.parameters != network(threads: 2, seed: 4).parameters)
  }

  @Test func `Crops of the whole length are no crops, shorter ones are`() throws {
    let whole = try network(threads: 2, minimumCrop: nil)
    #expect(try network(threads: 2, minimumCrop: 1).parameters == whole.parameters)
    #expect(try network(threads: 2, minimumCrop: 0.5).parameters != whole.parameters)
  }

  @Test func `Keys in another order give other random numbers`() {
    var first = RandomGenerator(seed: 1, purpose: .layers, keys: 2, 3)
    var second = RandomGenerator(seed: 1, purpose: .layers, keys: 3, 2)
    #expect(first.next() != second.next())
  }

  @Test func `Random numbers have the mean and deviation that they should have`() {
    var random = RandomGenerator(seed: 1, purpose: .layers)
    let count = 100_000
    let normal = (0..<count).map { _ in random.normal() }
    let uniform = (0..<count).map { _ in random.uniform() }
    #expect(abs(normal.reduce(0, +) / Double(count)) < 0.02)
    #expect(abs(normal.map { $0 * $0 }.reduce(0, +) / Double(count) - 1) < 0.03)
    #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 0.005)
    #expect(uniform.allSatisfy { (0..<1).contains($0) })
  }
}
