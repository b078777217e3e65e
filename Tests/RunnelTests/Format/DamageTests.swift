import Runnel
import TestSupport
import Testing

/// Files that were damaged on their way, which the reader finds out by lengths and checksums.
@Suite struct DamageTests {
  let bytes: [UInt8]

  init() throws {
    var model = RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 4, headSize: 2, seed: 1)
    model.tensors[1] = model.tensors[1].stored(as: .int8)
    model.metadata.name = "damaged"
    model.metadata.labels = ["yes", "no"]
    bytes = try model.withGoldenFrames(2, seed: 2).encoded()
    // The undamaged twin is accepted.
    _ = try bytes.decoded()
  }

  @Test func `a file that is cut at any byte is refused as truncated`() {
    for length in 0..<bytes.count {
      #expect(throws: ModelError.format(.truncated, offset: length)) {
        try [UInt8](bytes[..<length]).decoded()
      }
    }
  }

  @Test func `a file in which any single bit is flipped is refused`() {
    var damaged = bytes
    var accepted: [Int] = []
    for bit in 0..<8 * bytes.count {
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      if (try? damaged.decoded()) != nil { accepted.append(bit) }
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    #expect(accepted.isEmpty)
    #expect(damaged == bytes)
  }

  @Test(arguments: [1, 63, 64, 1_000])
  func `a file with bytes appended is refused`(count: Int) {
    for byte: UInt8 in [0, 0xFF] {
      let longer = bytes + repeatElement(byte, count: count)
      #expect(throws: ModelError.format(.trailingBytes, offset: bytes.count)) {
        try longer.decoded()
      }
    }
  }

  @Test func `a file with any byte left out is refused`() {
    for offset in bytes.indices {
      var shorter = bytes
      shorter.remove(at: offset)
      #expect(throws: ModelError.self) { try shorter.decoded() }
    }
  }

  @Test func `other files are refused by their first byte`() {
    for text in ["ONNX", "{\"json\": 1}", "RUNNEL", String(repeating: "x", count: 10_000)] {
      #expect(throws: ModelError.format(.signature, offset: 0)) {
        try [UInt8](text.utf8).decoded()
      }
    }
  }

  @Test func `a file that a text transfer has spoiled is refused by its signature`() {
    var spoiled = bytes
    spoiled.insert(0x0D, at: 7)
    #expect(throws: ModelError.format(.signature, offset: 7)) {
      try spoiled.decoded()
    }
  }
}
