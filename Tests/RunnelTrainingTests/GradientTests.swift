import Runnel
import RunnelTraining
import Testing

/// One case of the gradient check.
struct GradientCase: CustomTestStringConvertible, Sendable {
  var layers: [LayerSpecification]
  var input = NetworkSpecification.Input.vector(size: 3)
  var loss = Loss.softmaxCrossEntropy
  var lengths = [4, 4]
  var lastFrameOnly = false
  var labelSmoothing = 0.0

  var testDescription: String {
    "\(layers) \(loss) lengths \(lengths)\(lastFrameOnly ? ", last frame" : "")"
  }

  func probe() throws -> NetworkProbe {
    var probe = try NetworkProbe(
      NetworkSpecification(input: input, layers: layers + [.dense(size: 3)], loss: loss),
      lengths: lengths, lastFrameOnly: lastFrameOnly, seed: 11)
    probe.labelSmoothing = labelSmoothing
    return probe
  }

  static let cells: [LayerSpecification] = [
    .rnn(hidden: 5, activation: .tanh), .rnn(hidden: 5, activation: .relu), .lstm(hidden: 5),
    .gru(hidden: 5, variant: .resetAfter), .gru(hidden: 5, variant: .resetBefore),
  ]

  static let all: [GradientCase] =
    cells.flatMap { cell in
      [[4, 4], [5, 3, 1], [3, 0]].flatMap { lengths in
        [false, true].flatMap { last in
          [[cell], [cell, cell]].flatMap { layers in
            Loss.allCases.map { loss in
              GradientCase(layers: layers, loss: loss, lengths: lengths, lastFrameOnly: last)
            }
          }
        }
      }
    } + [
      GradientCase(layers: [.tanh], lengths: [3, 2]),
      GradientCase(layers: [.dense(size: 4), .sigmoid], lengths: [3, 2]),
      GradientCase(layers: [.dense(size: 4), .relu], lengths: [3, 2]),
      GradientCase(layers: [.lstm(hidden: 4), .dense(size: 4), .tanh], lengths: [3, 2]),
      GradientCase(layers: [.gru(hidden: 4, variant: .resetAfter)], labelSmoothing: 0.2),
      GradientCase(
        layers: [.embedding(size: 4), .lstm(hidden: 4)], input: .index(size: 6), lengths: [4, 3]),
      GradientCase(
        layers: [.embedding(size: 4), .gru(hidden: 4, variant: .resetBefore)],
        input: .index(size: 6), loss: .meanSquaredError, lengths: [4, 3]),
      GradientCase(layers: [.embedding(size: 4)], input: .index(size: 3), lengths: [4, 3]),
      GradientCase(
        layers: [.embedding(size: 4), .tanh], input: .index(size: 3), lengths: [4, 3]),
    ]
    // Tables that are smaller than the window.
    + cells.map { cell in
      GradientCase(
        layers: [.embedding(size: 4), cell], input: .index(size: 3), lengths: [4, 3])
    }
}

@Suite struct GradientTests {
  @Test(arguments: GradientCase.all)
  func `The gradients of all parameters agree with differences`(of test: GradientCase) throws {
    let probe = try test.probe()
    let gradients = probe.run(backward: true).parameterGradients
    #expect(probe.largestError(of: gradients, \.parameters) < 1e-6)
  }

  @Test(arguments: GradientCase.all.filter { $0.input == .vector(size: 3) })
  func `The gradients of the frames agree with differences`(of test: GradientCase) throws {
    let probe = try test.probe()
    let gradients = probe.run(backward: true).frameGradients
    #expect(probe.largestError(of: gradients, \.frames) < 1e-6)
  }

  @Test(arguments: GradientCase.all)
  func `The gradients of the carried states agree with differences`(of test: GradientCase) throws {
    let probe = try test.probe()
    let gradients = probe.run(backward: true).stateGradients
    #expect(probe.largestError(of: gradients, \.states) < 1e-6)
  }

  @Test func `The gradients through dropout and noise agree with differences`() throws {
    let test = GradientCase(layers: [
      .noise(deviation: 0.3), .offset(deviation: 0.2), .gru(hidden: 4, variant: .resetAfter),
      .dropout(rate: 0.4),
      .lstm(hidden: 3),
    ])
    var probe = try test.probe()
    probe.noiseKey = 5
    let outcome = probe.run(backward: true)
    let quiet = try test.probe().run()
    #expect(outcome.loss != quiet.loss)
    #expect(probe.largestError(of: outcome.parameterGradients, \.parameters) < 1e-6)
    #expect(probe.largestError(of: outcome.frameGradients, \.frames) < 1e-6)
  }

  @Test(arguments: GradientCase.cells)
  func `A gradient that is wrong by a hundred-thousandth is caught`(
    in cell: LayerSpecification
  ) throws {
    let probe = try GradientCase(layers: [cell]).probe()
    var gradients = probe.run(backward: true).parameterGradients
    let largest = gradients.indices.max { abs(gradients[$0]) < abs(gradients[$1]) }!
    gradients[largest] *= 1 + 1e-5
    #expect(probe.largestError(of: gradients, \.parameters) > 1e-6)
  }
}
