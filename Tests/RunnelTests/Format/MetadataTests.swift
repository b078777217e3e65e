import Foundation
import Runnel
import Testing

@Suite struct MetadataTests {
  @Test func `what tokens mean is stored under the keys of the format page`() throws {
    var metadata = ModelMetadata()
    metadata.labels = ["go", "geh", "."]
    metadata.tokens = .words
    metadata.inputLabels = ["g", "o"]
    metadata.inputTokens = .characters
    metadata.endLabel = "."
    #expect(
      metadata.entries == [
        "labels": ["go", "geh", "."], "tokens": ["words"], "inputLabels": ["g", "o"],
        "inputTokens": ["characters"], "end": ["."],
      ])
    let page = try FormatPageTests().page
    for key in metadata.entries.keys { #expect(page.contains("\n| `\(key)` | "), "\(key)") }
  }

  @Test func `what tokens mean is read and taken away again`() {
    var metadata = ModelMetadata([
      "inputLabels": ["a", "b"], "end": ["b"], "tokens": ["characters"], "inputTokens": ["words"],
    ])
    #expect(metadata.inputLabels == ["a", "b"])
    #expect(metadata.endLabel == "b")
    #expect(metadata.tokens == .characters)
    #expect(metadata.inputTokens == .words)
    metadata.inputLabels = []
    metadata.endLabel = nil
    metadata.tokens = nil
    metadata.inputTokens = nil
    #expect(metadata == ModelMetadata())
  }

  @Test func `a kind of token that is not known is none`() {
    let metadata = ModelMetadata(["tokens": ["syllables"], "inputTokens": []])
    #expect(metadata.tokens == nil)
    #expect(metadata.inputTokens == nil)
  }
}
