import Runnel
import RunnelTraining
import Testing

/// Loss, sums and optimizer, on each level that this CPU supports.
@Suite struct UpdateTests {
  @Test(arguments: KernelProbe.levels, [1, 5, 16, 65])
  func `Softmax cross-entropy and its gradient are those in Double, rounded`(
    level: InstructionLevel, size: Int
  ) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    // The third row has no weight.
    let classes = [size - 1, 0, 0, size / 2]
    let weights: [Float] = [1, 0.5, 0, 2]
    let outputs = probe.numbers(4 * size, deviation: 5)
    var losses = (0.0, 0.0)
    let deviation = unsafe KernelProbe.deviation([outputs, outputs, weights]) {
      unsafe losses.0 = kernels.softmaxCrossEntropy(
        $0[0], size: size, classes: classes, weights: $0[2], rows: 4, smoothing: 0.1, scale: 0.25,
        gradient: $0[1])
    } _: {
      unsafe losses.1 = Double.softmaxCrossEntropy(
        $0[0], size: size, classes: classes, weights: $0[2], rows: 4,
        smoothing: Double(0.1 as Float), scale: 0.25, gradient: $0[1])
    }
    #expect(deviation < 1e-6)
    #expect(abs(losses.0 - losses.1) < 1e-5)
  }

  @Test(arguments: [Float.nan, .infinity, 3e38], [0, 1])
  func `An output that is not finite gives a loss that is not, and a large one does not`(
    output: Float, target: Int
  ) {
    for level in KernelProbe.levels {
      let kernels = TrainingKernels(level)
      let loss = unsafe kernels.softmaxCrossEntropy(
        [0, output], size: 2, classes: [target], weights: [1], rows: 1, smoothing: 0, scale: 1,
        gradient: nil)
      #expect(loss.isFinite == output.isFinite)
    }
  }

  @Test(arguments: KernelProbe.levels, [1, 16, 17, 65])
  func `A row is right where its class has the first of the largest outputs`(
    level: InstructionLevel, size: Int
  ) {
    let kernels = TrainingKernels(level)
    let rows = size
    // Few values, so that there are ties before and behind the class.
    var random = RandomGenerator(seed: 2, purpose: .measuring)
    let outputs = (0..<(rows * size)).map { _ in Float(random.index(below: 3)) }
    let weights = (0..<rows).map { 0.5 + Float($0) }
    // The class that is right, those beside it, and the last one.
    let first = (0..<rows).map { row in
      let some = outputs[(row * size)..<((row + 1) * size)]
      return some.firstIndex(of: some.max()!)! - row * size
    }
    for classes in [
      first, first.map { min($0 + 1, size - 1) }, first.map { max($0 - 1, 0) },
      Array(repeating: size - 1, count: rows),
    ] {
      let right = (0..<rows).filter { classes[$0] == first[$0] }
        .reduce(0) { $0 + Double(weights[$1]) }
      #expect(
        unsafe kernels.weightOfRight(
          outputs, size: size, classes: classes, weights: weights, rows: rows) == right)
    }
  }

  @Test(arguments: KernelProbe.levels, [1, 16, 37])
  func `Sums over rows are added in the order of the rows`(level: InstructionLevel, size: Int) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    let (rows, stride) = (19, size + 2)
    let x = probe.numbers(rows * stride)
    var right = probe.numbers(size)
    let sums = unsafe KernelProbe.run([x, right], as: Float.self) {
      unsafe kernels.addRows($0[0], stride: stride, rows: rows, size: size, to: $0[1])
    }
    for row in 0..<rows {
      for i in 0..<size { right[i] += x[row * stride + i] }
    }
    #expect(sums[1] == right)
  }

  @Test(arguments: KernelProbe.levels, [1, 16, 37])
  func `Squares are summed in double precision`(level: InstructionLevel, count: Int) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    let values = probe.numbers(count, deviation: 1e20)
    let right = values.reduce(0) { $0 + Double($1) * Double($1) }
    let sum = unsafe kernels.sumOfSquares(values, count: count)
    #expect(abs(sum / right - 1) < 1e-14)
  }

  @Test(arguments: KernelProbe.levels, [1, 16, 37])
  func `Adam's steps are those in Double, rounded`(level: InstructionLevel, count: Int) {
    var probe = KernelProbe(level)
    let kernels = probe.kernels
    let arrays =
      [probe.numbers(count), probe.numbers(count), probe.shares(count), probe.numbers(count)]
    let deviation = unsafe KernelProbe.deviation(arrays) {
      unsafe kernels.adam(
        $0[0], mean: $0[1], square: $0[2], gradients: $0[3], count: count, rate: 0.01,
        correction: 0.5, decay: 0.99, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    } _: {
      unsafe Double.adam(
        $0[0], mean: $0[1], square: $0[2], gradients: $0[3], count: count,
        rate: Double(0.01 as Float), correction: 0.5, decay: Double(0.99 as Float),
        beta1: Double(0.9 as Float), beta2: Double(0.999 as Float), epsilon: 1e-8)
    }
    #expect(deviation < 1e-6)
  }

  @Test func `Adam's moments end at 0, not at denormal numbers`() {
    for level in KernelProbe.levels {
      let kernels = TrainingKernels(level)
      let after = unsafe KernelProbe.run([[1], [1e-19], [1e-37], [0]], as: Float.self) {
        unsafe kernels.adam(
          $0[0], mean: $0[1], square: $0[2], gradients: $0[3], count: 1, rate: 0.01,
          correction: 1, decay: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
      }
      #expect(after == [[1], [0], [0], [0]])
    }
  }
}
