import RunnelTraining
import Testing

@Suite struct GradientNormTests {
  private static let rate = 0.5

  /// One step of gradient descent: the norm that was reported, and how far the parameters moved.
  private func step(clipNorm: Float?) throws -> (reported: Double, moved: Double) {
    let settings = TrainingSettings(
      epochs: 1, optimizer: .sgd(), schedule: .constant(rate: Self.rate), clipNorm: clipNorm,
      seed: 3, threads: 1)
    let specification = NetworkSpecification(
      input: .vector(size: 2), layers: [.lstm(hidden: 4), .dense(size: 1)],
      loss: .meanSquaredError)
    let trainer = try Trainer(
      specification: specification, settings: settings,
      training: Problem.adding(count: 5, length: 6))
    var reported: [Double] = []
    let trained = try trainer.run { progress in
      reported.append(progress.gradientNorm)
      return .proceed
    }
    let before: [Float] = try Network(specification).initialParameters(seed: 3)
    let moved = zip(before, trained.parameters).reduce(0) {
      $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
    }
    #expect(reported.count == 2)
    #expect(reported[0] == reported[1])
    return (reported[0], moved.squareRoot())
  }

  @Test func `The norm that is reported is how far a step goes`() throws {
    let (reported, moved) = try step(clipNorm: nil)
    #expect(abs(moved / (Self.rate * reported) - 1) < 1e-4)
  }

  @Test func `The norm that is reported is that before it is limited`() throws {
    let (free, _) = try step(clipNorm: nil)
    let limit = Float(free / 4)
    let (reported, moved) = try step(clipNorm: limit)
    #expect(reported == free)
    #expect(abs(moved / (Self.rate * Double(limit)) - 1) < 1e-4)
  }
}
