extension ModelDescription {
  /// Reads a description from the bytes of a `.runnel` file, and validates it.
  ///
  /// Nothing is taken on trust: a file that was cut, that grew or in which any bit changed is
  /// refused, and so is one that a stranger made with care. What a file may be, and the order of
  /// the checks, is described in <doc:Format>.
  ///
  /// - Parameter bytes: The whole file.
  /// - Throws: The first fault, with its offset where it is one of the bytes.
  /// - Complexity: O(size of the file). Never allocates more than a small multiple of it.
  public init(decoding bytes: Span<UInt8>) throws(ModelError) {
    let sections = try FileLayout.sections(of: bytes)

    self.init()
    var reader = ByteReader(bytes, range: sections[0])
    (states, programs) = try reader.programsSection()
    try reader.finish()

    reader = ByteReader(bytes, range: sections[1])
    let headers = try reader.tensorsSection()
    try reader.finish()

    try TensorHeader.checkLength(of: sections[2], headers)
    reader = ByteReader(bytes, range: sections[2])
    tensors = try reader.weightsSection(headers)
    try reader.finish()

    reader = ByteReader(bytes, range: sections[3])
    metadata = try reader.metadataSection()
    try reader.finish()

    // Golden frames come last, because their size follows from valid programs.
    let shapes = try validate()
    reader = ByteReader(bytes, range: sections[4])
    golden = try reader.goldenSection(shapes)
    try reader.finish()
    try golden.validate(programs: programs, shapes: shapes)
  }
}
