extension ModelMetadata {
  /// The entries in the order of the file: keys sorted by their bytes.
  var sortedEntries: [(key: String, values: [String])] {
    entries.map { (key: $0.key, values: $0.value) }
      .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  /// Whether metadata may have such a key.
  ///
  /// Printable ASCII has one spelling, so keys that differ in bytes differ as strings everywhere.
  static func isKey(_ key: String) -> Bool {
    1...FormatLimits.stringBytes ~= key.utf8.count && key.utf8.allSatisfy { 0x21...0x7E ~= $0 }
  }

  func validate() throws(ModelError) {
    guard entries.count <= FormatLimits.metadataEntries else {
      throw .metadata(.tooManyEntries, entry: FormatLimits.metadataEntries)
    }
    for (index, entry) in sortedEntries.enumerated() {
      guard Self.isKey(entry.key) else { throw .metadata(.key, entry: index) }
      guard entry.values.count <= FormatLimits.metadataValues else {
        throw .metadata(.tooManyValues, entry: index)
      }
      for value in entry.values where value.utf8.count > FormatLimits.stringBytes {
        throw .metadata(.valueTooLong, entry: index)
      }
    }
  }
}
