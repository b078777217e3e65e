import RunnelTraining
import Testing

/// Windows that a layer goes through in more than one block of frames.
@Suite struct BlockTests {
  /// As many rows as make two blocks of either pass, with gates as wide as these cells'.
  private static let lengths = [90, 90, 80, 70]
  static let cells: [LayerSpecification] = [
    .rnn(hidden: 500, activation: .tanh), .lstm(hidden: 130),
    .gru(hidden: 170, variant: .resetAfter), .gru(hidden: 170, variant: .resetBefore),
  ]

  @Test(arguments: cells.indices, [true, false])
  func `Gradients over several blocks agree with differences`(cell: Int, looksUp: Bool) throws {
    let probe = try NetworkProbe(
      NetworkSpecification(
        input: looksUp ? .index(size: 5) : .vector(size: 2),
        layers: (looksUp ? [.embedding(size: 3)] : []) + [Self.cells[cell], .dense(size: 3)],
        loss: .softmaxCrossEntropy),
      lengths: Self.lengths, seed: 4)
    let gradients = probe.run(backward: true).parameterGradients
    // Along the gradient's signs, so that no error of one parameter makes up for another's.
    let direction = gradients.map { $0 < 0 ? -1.0 : 1.0 }
    let expected = probe.derivative(along: direction)
    let found = zip(gradients, direction).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(found / expected - 1) < 1e-5)
  }
}
