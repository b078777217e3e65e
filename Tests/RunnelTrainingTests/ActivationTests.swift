import Foundation
import RunnelTraining
import Testing

@Suite struct ActivationTests {
  /// Numbers on both sides of every branch, to both ends of the range.
  static let samples: [Float] =
    [0, 1e-30, 1e-8, 1e-3, 0.1, 0.6249, 0.625, 0.6251, 1, 5, 9, 20, 43, 44, 87, 88, 100, 1e30]
    .flatMap { [$0, -$0] } + stride(from: -12, to: 12, by: 0.00625)

  @Test func `Float's tanh is within 2e-7`() {
    var values = Self.samples
    unsafe Float.applyTanh(&values, count: values.count)
    for (x, y) in zip(Self.samples, values) { #expect(abs(Double(y) - tanh(Double(x))) < 2e-7) }
  }

  @Test func `Float's sigmoid is within 2e-7`() {
    var values = Self.samples
    unsafe Float.applySigmoid(&values, count: values.count)
    for (x, y) in zip(Self.samples, values) {
      #expect(abs(Double(y) - 1 / (1 + exp(-Double(x)))) < 2e-7)
    }
  }

  @Test func `A value's function does not depend on its place`() {
    for count in 1...17 {
      var values = [Float](repeating: 0.7, count: count)
      unsafe Float.applyTanh(&values, count: count)
      #expect(Set(values).count == 1)
    }
  }

  @Test func `NaN stays NaN`() {
    var values: [Float] = [.nan, .nan]
    unsafe Float.applyTanh(&values, count: 1)
    unsafe Float.applySigmoid(&values[1], count: 1)
    #expect(values.filter(\.isNaN).count == 2)
  }
}
