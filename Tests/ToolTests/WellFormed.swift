/// Whether every element of an XML text is closed where it should be.
func isWellFormed(_ text: String) -> Bool {
  var open: [Substring] = []
  var rest = text[...]
  while let start = rest.firstIndex(of: "<") {
    guard let end = rest[start...].firstIndex(of: ">") else { return false }
    let tag = rest[rest.index(after: start)..<end]
    rest = rest[end...].dropFirst()
    let name = tag.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" }
    if tag.hasPrefix("/") {
      guard open.popLast() == name else { return false }
    } else if !tag.hasSuffix("/") {
      open.append(name)
    }
    guard tag.count(where: { $0 == "\"" }).isMultiple(of: 2) else { return false }
  }
  return open.isEmpty
}
