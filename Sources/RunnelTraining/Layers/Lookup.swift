/// Where the rows of a layer's input come from when an embedding is before it: a table, of which each
/// input is a row.
///
/// What a layer makes of a row by a product, it can then make once for each row of the table and look up
/// for each input; and the gradients of inputs that are the same row are added before the products.
@unsafe package struct Lookup<Scalar: TrainingScalar> {
  /// The number of each input's row, shape `[rows]`.
  package let indices: UnsafePointer<Scalar>
  /// Shape `[count, I]`.
  package let table: UnsafePointer<Scalar>
  /// The table's gradient, which the backward pass adds to; `nil` in the forward pass.
  package let tableGradient: UnsafeMutablePointer<Scalar>?
  package let count: Int
  /// For the products of all of the table, shape `[count, lookupWidth]`.
  package let products: UnsafeMutablePointer<Scalar>

  /// The product's row for an input.
  @inline(__always)
  func product(_ row: Int, width: Int) -> UnsafeMutablePointer<Scalar> {
    unsafe products + Int(indices[row]) &* width
  }
}
