import Runnel
import RunnelTraining
import Testing

/// Truncated BPTT: states are carried from window to window, gradients are not.
@Suite struct TruncationTests {
  private static let length = 7

  private static func network(_ cell: LayerSpecification) throws -> Network {
    try Network(
      NetworkSpecification(
        input: .vector(size: 2), layers: [cell, cell, .dense(size: 2)], loss: .meanSquaredError))
  }

  /// The outputs over all windows, and the gradients of the sum of all outputs, added up.
  private func run(_ network: Network, window: Int) -> (outputs: [Double], gradients: [Double]) {
    var random = RandomGenerator(seed: 5, purpose: .split)
    let frames = (0..<(2 * Self.length)).map { _ in random.normal() }
    let parameters: [Double] = network.initialParameters(seed: 2)
    let unroll = Unroll<Double>(network)
    unroll.reset(streams: 1)
    var outputs: [Double] = []
    var gradients = [Double](repeating: 0, count: parameters.count)
    for start in stride(from: 0, to: Self.length, by: window) {
      let count = min(window, Self.length - start)
      unroll.begin(Window(lengths: [count]))
      for i in 0..<(2 * count) { unsafe unroll.input[i] = frames[2 * start + i] }
      unsafe unroll.forward(parameters: parameters, random: nil)
      for i in 0..<(2 * count) {
        unsafe outputs.append(unroll.output[i])
        unsafe unroll.outputGradient[i] = 1
      }
      unsafe unroll.backward(parameters: parameters)
      for i in gradients.indices { unsafe gradients[i] += unroll.gradients[i] }
    }
    return (outputs, gradients)
  }

  @Test(arguments: GradientCase.cells, [1, 3, 6])
  func `Windows with carried states give the outputs of the whole sequence`(
    _ cell: LayerSpecification, window: Int
  ) throws {
    let network = try Self.network(cell)
    #expect(run(network, window: window).outputs == run(network, window: Self.length).outputs)
  }

  @Test(arguments: GradientCase.cells)
  func `A window that covers all frames gives the gradients of full BPTT`(
    _ cell: LayerSpecification
  ) throws {
    let network = try Self.network(cell)
    let full = run(network, window: Self.length).gradients
    #expect(run(network, window: 2 * Self.length).gradients == full)
  }

  @Test(arguments: GradientCase.cells)
  func `A shorter window gives other gradients`(_ cell: LayerSpecification) throws {
    let network = try Self.network(cell)
    let full = run(network, window: Self.length).gradients
    #expect(run(network, window: 3).gradients != full)
  }

  @Test(arguments: GradientCase.cells)
  func `A stream gives what it gives alone, whichever others run beside it`(
    _ cell: LayerSpecification
  ) throws {
    let specification = NetworkSpecification(
      input: .vector(size: 2), layers: [cell, .dense(size: 2)], loss: .meanSquaredError)
    let together = try NetworkProbe(specification, lengths: [5, 3, 0])
    let outcome = together.run()
    let size = together.states.count / 3
    for (stream, length) in [5, 3, 0].enumerated() {
      var alone = try NetworkProbe(specification, lengths: [length])
      let rows = (0..<length).map { together.window.row(frame: $0, stream: stream) }
      alone.frames = rows.flatMap { together.frames[(2 * $0)..<(2 * $0 + 2)] }
      // States lie one behind the other, each [streams, hidden].
      let places = (0..<size).map { $0 / 5 * 15 + stream * 5 + $0 % 5 }
      alone.states = places.map { together.states[$0] }
      let single = alone.run()
      #expect(single.outputs == rows.flatMap { outcome.outputs[(2 * $0)..<(2 * $0 + 2)] })
      #expect(single.finalStates == places.map { outcome.finalStates[$0] })
    }
  }
}
