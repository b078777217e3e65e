extension Model {
  /// Loads the bytes of a `.runnel` file.
  ///
  /// - Throws: ``ModelError``, which says what is wrong and where.
  public convenience init(bytes: Span<UInt8>, options: ModelOptions = ModelOptions())
    throws(ModelError)
  {
    try self.init(ModelDescription(decoding: bytes), options: options)
  }

  #if canImport(Glibc)
    /// Loads a `.runnel` file: reads it whole, checks it, packs it.
    ///
    /// - Throws: ``ModelError``, which says what is wrong and where.
    public convenience init(path: String, options: ModelOptions = ModelOptions())
      throws(ModelError)
    {
      try self.init(ModelDescription(path: path), options: options)
    }
  #endif
}
