/// A matrix that lives somewhere else: where it begins, and how far apart rows and columns are.
///
/// Swapping the strides transposes it, so one product serves `A B`, `Aᵀ B` and `A Bᵀ`.
@unsafe package struct MatrixView<Scalar> {
  package let elements: UnsafePointer<Scalar>
  package let rowStride: Int
  package let columnStride: Int

  /// A row-major matrix with rows of `stride` numbers.
  package init(_ elements: UnsafePointer<Scalar>, stride: Int) {
    unsafe self.elements = elements
    unsafe rowStride = stride
    unsafe columnStride = 1
  }

  /// A row-major matrix with rows of `stride` numbers, seen as its transpose.
  package init(transposing elements: UnsafePointer<Scalar>, stride: Int) {
    unsafe self.elements = elements
    unsafe rowStride = 1
    unsafe columnStride = stride
  }

  package subscript(row: Int, column: Int) -> Scalar {
    unsafe elements[row &* rowStride &+ column &* columnStride]
  }
}
