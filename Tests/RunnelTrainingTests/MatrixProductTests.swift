import RunnelTraining
import Testing

@Suite struct MatrixProductTests {
  /// `C += A B` for some sizes, with both operands as they are or transposed.
  struct Case: Sendable {
    let rows: Int
    let columns: Int
    let depth: Int
    let transposesA: Bool
    let transposesB: Bool
    /// Of so many elements of both operands, one is not 0.
    var sparsity = 1
  }
  static let cases: [Case] = [(1, 1, 1), (4, 8, 3), (5, 7, 2), (3, 9, 17), (13, 33, 20)].flatMap {
    (rows, columns, depth) in
    [(false, false), (true, false), (false, true), (true, true)].map {
      Case(rows: rows, columns: columns, depth: depth, transposesA: $0.0, transposesB: $0.1)
    }
  }
  /// Products that skip zeros: from the left, and, transposed, from the right.
  static let sparseCases = [(false, false), (true, false), (true, true)].map {
    Case(
      rows: 37, columns: 50, depth: 29, transposesA: $0.0, transposesB: $0.1, sparsity: 23)
  }

  private func product<Scalar: TrainingScalar>(
    _ test: Case, of _: Scalar.Type = Scalar.self
  ) -> [Double] {
    var random = RandomGenerator(seed: 3, purpose: .split)
    let (rows, columns, depth) = (test.rows, test.columns, test.depth)
    func operand(_ count: Int) -> [Scalar] {
      (0..<count).map { $0 % test.sparsity == 0 ? Scalar(Float(random.normal())) : 0 }
    }
    let a = operand(rows * depth)
    let b = operand(depth * columns)
    // C has one column more than the product, which must stay as it is.
    let stride = columns + 1
    var c = [Scalar](repeating: 0.5, count: rows * stride)
    var scratch = [Scalar](
      repeating: .nan, count: Scalar.scratchCount(rows: rows, columns: columns, depth: depth))
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        let a = a.baseAddress!
        let b = b.baseAddress!
        unsafe Scalar.addProduct(
          &c, stride: stride,
          test.transposesA
            ? MatrixView(transposing: a, stride: rows) : MatrixView(a, stride: depth),
          test.transposesB
            ? MatrixView(transposing: b, stride: depth) : MatrixView(b, stride: columns),
          rows: rows, columns: columns, depth: depth, scratch: &scratch)
      }
    }
    return c.map { Double($0) }
  }

  @Test(arguments: cases + sparseCases)
  func `The product in Float is that in Double, rounded`(_ test: Case) {
    for (single, double) in zip(product(test, of: Float.self), product(test, of: Double.self)) {
      #expect(abs(single - double) < 1e-5)
    }
  }

  @Test func `The product in Double is the sum over the depth`() {
    let product = product(
      Case(rows: 2, columns: 2, depth: 2, transposesA: false, transposesB: false), of: Double.self)
    var random = RandomGenerator(seed: 3, purpose: .split)
    let a = (0..<4).map { _ in Double(Float(random.normal())) }
    let b = (0..<4).map { _ in Double(Float(random.normal())) }
    #expect(product[0] == 0.5 + a[0] * b[0] + a[1] * b[2])
    #expect(product[2] == 0.5)
    #expect(product[4] == 0.5 + a[2] * b[1] + a[3] * b[3])
  }
}
