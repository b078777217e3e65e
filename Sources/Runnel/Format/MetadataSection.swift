// The fourth section: what the model says about itself.
//
//     list of entries      string key, list of string values
//
// Keys are printable ASCII, in ascending order of their bytes.

extension ByteReader {
  mutating func metadataSection() throws(ModelError) -> ModelMetadata {
    var metadata = ModelMetadata()
    var previous = ""
    for _ in 0..<(try count(limit: FormatLimits.metadataEntries, elementBytes: 8)) {
      let start = offset
      let key = try string()
      guard ModelMetadata.isKey(key), previous.utf8.lexicographicallyPrecedes(key.utf8) else {
        throw .format(.metadataKey, offset: start)
      }
      var values: [String] = []
      for _ in 0..<(try count(limit: FormatLimits.metadataValues, elementBytes: 4)) {
        values.append(try string())
      }
      metadata.entries[key] = values
      previous = key
    }
    return metadata
  }
}

extension ByteWriter {
  mutating func metadataSection(_ metadata: ModelMetadata) {
    u32(metadata.entries.count)
    for entry in metadata.sortedEntries {
      string(entry.key)
      u32(entry.values.count)
      for value in entry.values { string(value) }
    }
  }
}
