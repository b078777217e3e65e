import RunnelTraining
import Testing

@Suite struct ScheduleTests {
  private func expect(
    _ schedule: LearningRateSchedule, _ rates: [(fraction: Double, epoch: Int, rate: Double)]
  ) {
    for (fraction, epoch, rate) in rates {
      #expect(abs(schedule.rate(fraction: fraction, epoch: epoch) - rate) < 1e-12)
    }
  }

  @Test func `A constant rate stays`() {
    expect(.constant(rate: 0.3), [(0, 0, 0.3), (0.7, 9, 0.3), (1, 10, 0.3)])
  }

  @Test func `Steps multiply the rate every so many epochs`() {
    expect(
      .step(rate: 1, factor: 0.1, epochs: 3), [(0, 0, 1), (0, 2, 1), (0, 3, 0.1), (0, 7, 0.01)])
  }

  @Test func `A cosine falls from the rate to the final one`() {
    expect(.cosine(rate: 1, final: 0.2), [(0, 0, 1), (0.5, 0, 0.6), (1, 0, 0.2)])
  }

  @Test func `Warm-up rises linearly, then a cosine falls`() {
    expect(
      .warmUpCosine(rate: 1, warmUp: 0.2),
      [(0, 0, 0), (0.1, 0, 0.5), (0.2, 0, 1), (0.6, 0, 0.5), (1, 0, 0)])
    expect(.warmUpCosine(rate: 1, warmUp: 0), [(0, 0, 1)])
  }

  @Test func `One cycle rises from a 25th of the peak, and falls to a 250,000th`() {
    expect(
      .oneCycle(peak: 1, warmUp: 0.25), [(0, 0, 0.04), (0.25, 0, 1), (1, 0, 0.000_004)])
  }
}
