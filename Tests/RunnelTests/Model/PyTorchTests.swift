import Runnel
import TestSupport
import Testing

/// The runtime against PyTorch's results for the same weights and frames; see
/// Tests/Fixtures/README.md.
@Suite struct PyTorchTests {
  static let networks: [(layers: Int, size: Int)] =
    [1, 3, 17, 64].flatMap { size in (1...3).map { ($0, size) } } + [(1, 130)]

  @Test(arguments: ["rnn-tanh", "rnn-relu", "lstm", "gru"], networks)
  func `1,000 frames agree with PyTorch on every level`(
    cell: String, network: (layers: Int, size: Int)
  ) throws {
    let input = try Fixture("runtime-input").floats("input")
    let fixture = try Fixture("runtime-\(cell)-\(network.layers)x\(network.size)")
    let description = model(cell, network.layers, network.size, fixture)
    let expected = fixture["output_f64"]
    // The bound is absolute where values are bounded, and relative to their size in ReLU networks.
    let bound = 1e-5 * max(1, expected.map(\.magnitude).max()!)
    for level in InstructionLevel.available {
      let model = try Model(description, options: ModelOptions(level: level))
      var session = Session(model)
      var predictions: [Float] = []
      for frame in 0..<1000 {
        let prediction = try session.step(
          Array(input[frame * 5..<frame * 5 + 5]))
        if [0, 9, 99, 999].contains(frame) { predictions += prediction }
      }
      let deviation = zip(predictions, expected).map { abs(Double($0) - $1) }.max()!
      #expect(deviation <= bound, "\(level)")
    }
  }

  @Test func `another order of the gates would be noticed`() throws {
    let fixture = try Fixture("runtime-gru-1x17")
    let input = try Fixture("runtime-input").floats("input")
    var description = model("gru", 1, 17, fixture)
    // r and z change places.
    for index in 0..<3 {
      guard case .float32(var values) = description.tensors[index].storage else { continue }
      let gate = values.count / 3
      for k in 0..<gate { values.swapAt(k, gate + k) }
      description.tensors[index].storage = .float32(values)
    }
    var session = Session(try Model(description))
    let prediction = try session.step(Array(input[0..<5]))
    let expected = fixture["output_f64"]
    #expect(zip(prediction, expected).contains { abs(Double($0) - $1) > 1e-3 })
  }

  /// PyTorch's weights as a model.
  private func model(
    _ cell: String, _ layers: Int, _ size: Int, _ fixture: Fixture
  ) -> ModelDescription {
    var description = ModelDescription()
    func add(_ name: String, _ shape: [Int], _ values: [Float]) -> Int {
      description.tensors.append(TensorDescription(name: name, shape: shape, values: values))
      return description.tensors.count - 1
    }
    let gates = cell == "lstm" ? 4 : cell == "gru" ? 3 : 1
    var operations: [ModelOperation] = []
    for layer in 0..<layers {
      let inputSize = layer == 0 ? 5 : size
      func weights(_ name: String, _ seed: Int, _ count: Int) -> [Float] {
        if fixture.contains("\(name)_l\(layer)") { return fixture.floats("\(name)_l\(layer)") }
        return hashed(UInt32(fixture["weight_seeds"][layer * 4 + seed]), count)
      }
      let inputWeights = add(
        "W\(layer)", [gates * size, inputSize], weights("weight_ih", 0, gates * size * inputSize))
      let recurrentWeights = add(
        "R\(layer)", [gates * size, size], weights("weight_hh", 1, gates * size * size))
      let inputBias = weights("bias_ih", 2, gates * size)
      let recurrentBias = weights("bias_hh", 3, gates * size)
      let own = cell == "gru" ? 2 * size : gates * size
      let bias = add(
        "b\(layer)", [gates * size],
        inputBias.indices.map { inputBias[$0] + ($0 < own ? recurrentBias[$0] : 0) })
      let hidden = description.states.count
      description.states.append(StateDescription(name: "h\(layer)", size: size))
      switch cell {
      case "lstm":
        description.states.append(StateDescription(name: "c\(layer)", size: size))
        operations.append(
          .lstm(
            input: layer, inputWeights: inputWeights, recurrentWeights: recurrentWeights,
            bias: bias, hidden: hidden, cell: hidden + 1))
      case "gru":
        let candidateBias = add("c\(layer)", [size], Array(recurrentBias[own...]))
        operations.append(
          .gruResetAfter(
            input: layer, inputWeights: inputWeights, recurrentWeights: recurrentWeights,
            bias: bias, candidateBias: candidateBias, hidden: hidden))
      default:
        operations.append(
          .rnn(
            cell == "rnn-tanh" ? .tanh : .relu, input: layer, inputWeights: inputWeights,
            recurrentWeights: recurrentWeights, bias: bias, hidden: hidden))
      }
    }
    description.programs = [
      ProgramDescription(
        inputs: [InputPort(name: "x", size: 5)], operations: operations,
        outputs: [OutputPort(name: "h", slot: layers)])
    ]
    return description
  }

  /// The weights that a seed stands for.
  private func hashed(_ seed: UInt32, _ count: Int) -> [Float] {
    (0..<count).map { k in
      var x = seed &+ UInt32(k)
      x ^= x >> 16
      x &*= 0x7feb_352d
      x ^= x >> 15
      x &*= 0x846c_a68b
      x ^= x >> 16
      return (Float(x >> 8) / 0x1p24 - 0.5) * 0.25
    }
  }
}
