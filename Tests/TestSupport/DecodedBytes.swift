package import Runnel

extension [UInt8] {
  /// The description that the bytes of a file hold.
  ///
  /// Tests go through here because Swift 6.3.1 crashes where a throwing initialiser takes the span
  /// of a temporary array.
  package func decoded() throws(ModelError) -> ModelDescription {
    try ModelDescription(decoding: span)
  }
}
