import Runnel
import Testing

@Suite struct CRC32CTests {
  let crc = CRC32C()

  @Test func `the check value is the known one`() {
    #expect(crc.checksum(of: Array("123456789".utf8).span) == 0xE306_9283)
  }

  @Test func `the examples of RFC 3720 come out`() {
    #expect(crc.checksum(of: [UInt8](repeating: 0, count: 32).span) == 0x8A91_36AA)
    #expect(crc.checksum(of: [UInt8](repeating: 0xFF, count: 32).span) == 0x62A8_AB43)
    #expect(crc.checksum(of: [UInt8](0..<32).span) == 0x46DD_794E)
    #expect(crc.checksum(of: [UInt8]((0..<32).reversed()).span) == 0x113F_DB5C)
  }

  @Test func `a checksum continues where another one stopped`() {
    let bytes = [UInt8](0..<41)
    let whole = crc.checksum(of: bytes.span)
    for cut in 0...bytes.count {
      let start = crc.checksum(of: bytes.span.extracting(..<cut))
      #expect(crc.checksum(of: bytes.span.extracting(cut...), continuing: start) == whole)
    }
  }
}
