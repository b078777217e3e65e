import Runnel
import RunnelTraining
import Testing

/// What recurrent layers do beside products, on each level that this CPU supports.
@Suite struct UnitTests {
  static let sizes = [1, 16, 23, 40]
  private let rows = 3
  private let tolerance = 1e-6

  @Test(arguments: KernelProbe.levels, sizes)
  func `An LSTM's forward pass is that in Double, rounded`(level: InstructionLevel, size: Int) {
    var probe = KernelProbe(level)
    let (rows, kernels) = (rows, probe.kernels)
    let count = rows * size
    let arrays = [probe.numbers(4 * count, deviation: 4), probe.numbers(count)] + blank(3, count)
    let deviation = unsafe KernelProbe.deviation(arrays) {
      unsafe kernels.forwardLSTM(
        gates: $0[0], cell: $0[1], cellTanh: $0[2], hidden: $0[3], output: $0[4], rows: rows,
        size: size)
    } _: {
      unsafe Double.forwardLSTM(
        gates: $0[0], cell: $0[1], cellTanh: $0[2], hidden: $0[3], output: $0[4], rows: rows,
        size: size)
    }
    #expect(deviation < tolerance)
  }

  @Test(arguments: KernelProbe.levels, sizes)
  func `An LSTM's backward pass is that in Double, rounded`(level: InstructionLevel, size: Int) {
    var probe = KernelProbe(level)
    let (rows, kernels) = (rows, probe.kernels)
    let count = rows * size
    let arrays = [probe.shares(4 * count)] + (0..<5).map { _ in probe.numbers(count) }
    let deviation = unsafe KernelProbe.deviation(arrays) {
      unsafe kernels.backwardLSTM(
        gates: $0[0], previousCell: $0[1], cellTanh: $0[2], outputGradient: $0[3],
        hiddenGradient: $0[4], cellGradient: $0[5], rows: rows, size: size)
    } _: {
      unsafe Double.backwardLSTM(
        gates: $0[0], previousCell: $0[1], cellTanh: $0[2], outputGradient: $0[3],
        hiddenGradient: $0[4], cellGradient: $0[5], rows: rows, size: size)
    }
    #expect(deviation < tolerance)
  }

  @Test(arguments: KernelProbe.levels, sizes)
  func `A GRU's forward pass is that in Double, rounded`(level: InstructionLevel, size: Int) {
    var probe = KernelProbe(level)
    let (rows, kernels) = (rows, probe.kernels)
    let count = rows * size
    let arrays =
      [probe.numbers(3 * count, deviation: 3), probe.numbers(3 * count), probe.numbers(count)]
      + blank(1, count)
    let deviation = unsafe KernelProbe.deviation(arrays) {
      unsafe kernels.forwardGRU(
        gates: $0[0], recurrent: $0[1], hidden: $0[2], output: $0[3], rows: rows, size: size)
    } _: {
      unsafe Double.forwardGRU(
        gates: $0[0], recurrent: $0[1], hidden: $0[2], output: $0[3], rows: rows, size: size)
    }
    #expect(deviation < tolerance)
  }

  @Test(arguments: KernelProbe.levels, sizes)
  func `A GRU's backward pass is that in Double, rounded`(level: InstructionLevel, size: Int) {
    var probe = KernelProbe(level)
    let (rows, kernels) = (rows, probe.kernels)
    let count = rows * size
    let arrays =
      [probe.shares(3 * count), probe.numbers(3 * count)]
      + (0..<3).map { _ in probe.numbers(count) }
    let deviation = unsafe KernelProbe.deviation(arrays) {
      unsafe kernels.backwardGRU(
        gates: $0[0], recurrent: $0[1], previousHidden: $0[2], outputGradient: $0[3],
        hiddenGradient: $0[4], rows: rows, size: size)
    } _: {
      unsafe Double.backwardGRU(
        gates: $0[0], recurrent: $0[1], previousHidden: $0[2], outputGradient: $0[3],
        hiddenGradient: $0[4], rows: rows, size: size)
    }
    #expect(deviation < tolerance)
  }

  @Test(arguments: KernelProbe.levels, sizes)
  func `A GRU that resets before its product is that in Double, rounded`(
    level: InstructionLevel, size: Int
  ) {
    var probe = KernelProbe(level)
    let (rows, kernels) = (rows, probe.kernels)
    let count = rows * size
    let forward =
      [probe.numbers(3 * count, deviation: 3), probe.numbers(count)] + blank(2, count)
    let deviation = unsafe KernelProbe.deviation(forward) {
      unsafe kernels.resetGRU(
        gates: $0[0], hidden: $0[1], resetHidden: $0[2], rows: rows, size: size)
      unsafe kernels.updateGRU(
        gates: $0[0], hidden: $0[1], output: $0[3], rows: rows, size: size)
    } _: {
      unsafe Double.resetGRU(
        gates: $0[0], hidden: $0[1], resetHidden: $0[2], rows: rows, size: size)
      unsafe Double.updateGRU(
        gates: $0[0], hidden: $0[1], output: $0[3], rows: rows, size: size)
    }
    #expect(deviation < tolerance)

    let backward = [probe.shares(3 * count)] + (0..<4).map { _ in probe.numbers(count) }
    let backwardDeviation = unsafe KernelProbe.deviation(backward) {
      unsafe kernels.updateGRUBackward(
        gates: $0[0], previousHidden: $0[1], outputGradient: $0[2], hiddenGradient: $0[3],
        rows: rows, size: size)
      unsafe kernels.resetGRUBackward(
        gates: $0[0], previousHidden: $0[1], resetGradient: $0[4], hiddenGradient: $0[3],
        rows: rows, size: size)
    } _: {
      unsafe Double.updateGRUBackward(
        gates: $0[0], previousHidden: $0[1], outputGradient: $0[2], hiddenGradient: $0[3],
        rows: rows, size: size)
      unsafe Double.resetGRUBackward(
        gates: $0[0], previousHidden: $0[1], resetGradient: $0[4], hiddenGradient: $0[3],
        rows: rows, size: size)
    }
    #expect(backwardDeviation < tolerance)
  }

  @Test(arguments: KernelProbe.levels, [true, false])
  func `A vanilla RNN is that in Double, rounded`(level: InstructionLevel, isTanh: Bool) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    let arrays = [probe.numbers(40, deviation: 3), probe.numbers(40), probe.numbers(40)]
    let deviation = unsafe KernelProbe.deviation(arrays) {
      unsafe kernels.forwardRNN(output: $0[0], hidden: $0[1], isTanh: isTanh, count: 40)
      unsafe kernels.backwardRNN(
        output: $0[0], outputGradient: $0[2], hiddenGradient: $0[1], isTanh: isTanh, count: 40)
    } _: {
      unsafe Double.forwardRNN(output: $0[0], hidden: $0[1], isTanh: isTanh, count: 40)
      unsafe Double.backwardRNN(
        output: $0[0], outputGradient: $0[2], hiddenGradient: $0[1], isTanh: isTanh, count: 40)
    }
    #expect(deviation < tolerance)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30], 0..<4)
  func `A sum that is not finite makes an LSTM's state NaN, and a large one does not`(
    sum: Float, gate: Int
  ) {
    for level in KernelProbe.levels {
      let kernels = TrainingKernels(level)
      var gates = [Float](repeating: 0.5, count: 4)
      gates[gate] = sum
      let after = unsafe KernelProbe.run([gates, [0.1], [0], [0], [0]], as: Float.self) {
        unsafe kernels.forwardLSTM(
          gates: $0[0], cell: $0[1], cellTanh: $0[2], hidden: $0[3], output: $0[4], rows: 1,
          size: 1)
      }
      #expect(after[3][0].isNaN == !sum.isFinite)
      #expect(after[1][0].isNaN == !sum.isFinite)
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30], 0..<3)
  func
    `A sum that is not finite makes a GRU's state NaN, but for an infinite candidate behind a reset`(
      sum: Float, gate: Int
    )
  {
    for level in KernelProbe.levels {
      let kernels = TrainingKernels(level)
      var gates = [Float](repeating: 0.5, count: 3)
      gates[gate] = sum
      let after = unsafe KernelProbe.run([gates, [0, 0, 0], [0.1], [0]], as: Float.self) {
        unsafe kernels.forwardGRU(
          gates: $0[0], recurrent: $0[1], hidden: $0[2], output: $0[3], rows: 1, size: 1)
      }
      #expect(after[2][0].isNaN == !sum.isFinite)
      let before = unsafe KernelProbe.run([gates, [0.1], [0], [0]], as: Float.self) {
        unsafe kernels.resetGRU(
          gates: $0[0], hidden: $0[1], resetHidden: $0[2], rows: 1, size: 1)
        // The candidate's product, with weights of 1.
        unsafe $0[0][2] += $0[2][0]
        unsafe kernels.updateGRU(gates: $0[0], hidden: $0[1], output: $0[3], rows: 1, size: 1)
      }
      #expect(before[1][0].isNaN == (gate == 2 ? sum.isNaN : !sum.isFinite))
    }
  }

  @Test func `A gradient that has decayed is 0 and not denormal`() {
    for level in KernelProbe.levels {
      let kernels = TrainingKernels(level)
      let after = [1e-25 as Float, 1e-15].map { gradient in
        unsafe KernelProbe.run([[0.5], [gradient], [0]], as: Float.self) {
          unsafe kernels.backwardRNN(
            output: $0[0], outputGradient: $0[1], hiddenGradient: $0[2], isTanh: true, count: 1)
        }[1][0]
      }
      #expect(after[0] == 0)
      #expect(after[1] > 0)
    }
  }

  @Test(.enabled(if: InstructionLevel.best == .v4))
  func `AVX2 and AVX-512 give the same bits`() {
    let states = [InstructionLevel.v3, .v4].map { level in
      var probe = KernelProbe(level)
      let (rows, kernels) = (rows, probe.kernels)
      let arrays = [probe.numbers(4 * 69, deviation: 4), probe.numbers(69)] + blank(3, 69)
      return unsafe KernelProbe.run(arrays, as: Float.self) {
        unsafe kernels.forwardLSTM(
          gates: $0[0], cell: $0[1], cellTanh: $0[2], hidden: $0[3], output: $0[4], rows: rows,
          size: 23)
        unsafe kernels.backwardLSTM(
          gates: $0[0], previousCell: $0[1], cellTanh: $0[2], outputGradient: $0[4],
          hiddenGradient: $0[3], cellGradient: $0[1], rows: rows, size: 23)
      }
    }
    #expect(states[0] == states[1])
    #expect(states[0].joined().contains { $0 != 0 })
  }

  private func blank(_ arrays: Int, _ count: Int) -> [[Float]] {
    Array(repeating: Array(repeating: 0, count: count), count: arrays)
  }
}
