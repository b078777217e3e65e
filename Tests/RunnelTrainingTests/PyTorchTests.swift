import Runnel
import RunnelTraining
import TestSupport
import Testing

/// Losses, gradients and updates against PyTorch's, in Double.
@Suite struct PyTorchTests {
  /// One file of `Tests/Fixtures`, and the network that it is about.
  struct Case: CustomTestStringConvertible, Sendable {
    let cell: String
    let layerCount: Int
    let loss: String
    var testDescription: String { "gradient-\(cell)-\(layerCount)-\(loss)" }
    var embeds: Bool { cell == "embedding-gru" }

    var specification: NetworkSpecification {
      let recurrent: LayerSpecification =
        switch cell {
        case "rnn-tanh": .rnn(hidden: 6, activation: .tanh)
        case "rnn-relu": .rnn(hidden: 6, activation: .relu)
        case "lstm": .lstm(hidden: 6)
        default: .gru(hidden: 6, variant: .resetAfter)
        }
      let loss: Loss =
        switch loss {
        case "mse": .meanSquaredError
        case "sigmoid": .sigmoidCrossEntropy
        default: .softmaxCrossEntropy
        }
      return NetworkSpecification(
        input: embeds ? .index(size: 7) : .vector(size: 4),
        layers: (embeds ? [.embedding(size: 4)] : [])
          + Array(repeating: recurrent, count: layerCount) + [.dense(size: 3)],
        loss: loss)
    }
  }

  static let cases: [Case] =
    [("rnn-tanh", 1), ("rnn-relu", 1), ("lstm", 1), ("lstm", 2), ("gru", 1)].flatMap { cell in
      ["last-softmax", "softmax", "mse", "sigmoid", "softmax-carried"].map {
        Case(cell: cell.0, layerCount: cell.1, loss: $0)
      }
    } + [Case(cell: "embedding-gru", layerCount: 1, loss: "softmax")]

  private static let frames = 5
  private static let lengths = [5, 3, 2]

  /// PyTorch's parameters, or the gradients of them, in this library's order.
  private func parameters(_ test: Case, from fixture: Fixture, gradients: Bool) -> [Double] {
    let prefix = gradients ? "gradient." : ""
    var result = test.embeds ? fixture[prefix + "embedding.weight"] : []
    for layer in 0..<test.layerCount {
      result += fixture["\(prefix)weight_ih_l\(layer)"] + fixture["\(prefix)weight_hh_l\(layer)"]
      let inputBias = fixture["\(prefix)bias_ih_l\(layer)"]
      let recurrentBias = fixture["\(prefix)bias_hh_l\(layer)"]
      let isGRU = test.cell.hasSuffix("gru")
      let shared = isGRU ? inputBias.count / 3 * 2 : inputBias.count
      // The derivative by a sum of two biases is the derivative by either.
      result += inputBias.indices.map {
        inputBias[$0] + ($0 < shared && !gradients ? recurrentBias[$0] : 0)
      }
      if isGRU { result += recurrentBias[shared...] }
    }
    return result + fixture[prefix + "dense.weight"] + fixture[prefix + "dense.bias"]
  }

  /// The rows of the window, from a tensor `[T, B, size]`.
  private func rows(_ tensor: [Double], of window: Window) -> [Double] {
    let size = tensor.count / (Self.frames * window.streams)
    return (0..<window.frames).flatMap { frame in
      tensor[(frame * window.streams * size)...].prefix(window.active[frame] * size)
    }
  }

  private func probe(_ test: Case, _ fixture: Fixture, lengths: [Int]) throws -> NetworkProbe {
    var probe = try NetworkProbe(test.specification, lengths: lengths)
    probe.parameters = parameters(test, from: fixture, gradients: false)
    probe.frames = rows(fixture[test.embeds ? "tokens" : "input"], of: probe.window)
    probe.states = Array(repeating: 0, count: probe.states.count)
    if fixture.contains("initial_hidden") {
      probe.states = states(test, fixture, hidden: "initial_hidden", cell: "initial_cell")
    }
    let isLast = test.loss == "last-softmax"
    for frame in 0..<probe.window.frames {
      for stream in 0..<probe.window.active[frame] {
        let bears = isLast ? frame == Self.lengths[stream] - 1 : frame < Self.lengths[stream]
        probe.targets.weights[probe.window.row(frame: frame, stream: stream)] = bears ? 1 : 0
      }
    }
    switch test.specification.loss {
    case .softmaxCrossEntropy:
      let classes = fixture["target"].map { Int($0) }
      probe.targets.classes = (0..<probe.window.frames).flatMap { frame in
        isLast
          ? classes[..<probe.window.active[frame]]
          : classes[(frame * probe.window.streams)...].prefix(probe.window.active[frame])
      }
    default: probe.targets.values = rows(fixture["target"], of: probe.window)
    }
    return probe
  }

  /// States `[layers, B, H]` in this library's order: hidden, then cell, layer by layer.
  private func states(
    _ test: Case, _ fixture: Fixture, hidden: String, cell: String
  ) -> [Double] {
    let (hidden, cell) = (fixture[hidden], test.cell == "lstm" ? fixture[cell] : [])
    let size = hidden.count / test.layerCount
    return (0..<test.layerCount).flatMap { layer in
      Array(hidden[(layer * size)...].prefix(size))
        + (cell.isEmpty ? [] : Array(cell[(layer * size)...].prefix(size)))
    }
  }

  private func expectClose(_ actual: [Double], _ expected: [Double], _ what: Comment) {
    #expect(actual.count == expected.count, what)
    let size = expected.map(abs).max() ?? 0
    for (a, b) in zip(actual, expected) { #expect(abs(a - b) <= 1e-12 + 1e-11 * size, what) }
  }

  @Test(arguments: cases)
  func `Outputs and states after all frames are PyTorch's`(_ test: Case) throws {
    let fixture = try Fixture(test.testDescription)
    let outcome = try probe(test, fixture, lengths: [5, 5, 5]).run()
    expectClose(outcome.outputs, fixture["output"], "outputs")
    expectClose(
      outcome.finalStates, states(test, fixture, hidden: "final_hidden", cell: "final_cell"),
      "states")
  }

  @Test(arguments: cases, [[5, 5, 5], [5, 3, 2]])
  func `Loss and gradients are PyTorch's, whole or cut to length`(
    _ test: Case, lengths: [Int]
  ) throws {
    let fixture = try Fixture(test.testDescription)
    let probe = try probe(test, fixture, lengths: lengths)
    let outcome = probe.run(backward: true)
    expectClose([outcome.loss], fixture["loss"], "loss")
    expectClose(
      outcome.parameterGradients, parameters(test, from: fixture, gradients: true), "parameters")
    if !test.embeds {
      expectClose(
        outcome.frameGradients, rows(fixture["gradient.input"], of: probe.window), "frames")
    }
  }

  @Test(
    arguments: [
      ("sgd", OptimizerSpecification.sgd(), 0.1), ("momentum", .sgd(momentum: 0.9), 0.1),
      ("rmsprop", .rmsprop(), 0.01), ("adam", .adam(), 0.01), ("adamw", .adamW(), 0.01),
    ])
  func `Five updates are PyTorch's`(
    name: String, specification: OptimizerSpecification, rate: Double
  ) throws {
    let fixture = try Fixture("optimizer")
    var parameters = fixture["parameters"]
    let count = parameters.count
    var optimizer = Optimizer<Double>(specification, parameterCount: count)
    for update in 0..<5 {
      let range = (update * count)..<((update + 1) * count)
      let gradients = Array(fixture["gradients"][range])
      unsafe optimizer.update(&parameters, gradients: gradients, rate: rate)
      expectClose(parameters, Array(fixture[name][range]), "update \(update)")
    }
  }

  @Test(arguments: [(1.0, "clip.to_1"), (100, "clip.to_100")])
  func `Clipping by the global norm is PyTorch's`(limit: Double, name: String) throws {
    let fixture = try Fixture("optimizer")
    var gradients = fixture["clip.first"] + fixture["clip.second"]
    let norm = unsafe gradientNorm(gradients, count: gradients.count)
    expectClose([norm], fixture["\(name).norm"], "norm")
    unsafe clip(&gradients, count: gradients.count, norm: norm, limit: limit)
    expectClose(gradients, fixture["\(name).first"] + fixture["\(name).second"], "gradients")
  }
}
