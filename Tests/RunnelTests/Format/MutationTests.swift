import Runnel
import TestSupport
import Testing

/// Random changes under right lengths and checksums: whatever they make is refused, or is a model.
@Suite struct MutationTests {
  static let files: [[UInt8]] = {
    var first = RandomModels.everyOperation(seed: 1).stored(as: .int8)
    first.metadata.name = "mutated"
    first.metadata.labels = ["a", "b"]
    let second = RandomModels.stack(.gruResetAfter, inputSize: 1, hiddenSize: 2, seed: 3)
      .stored(as: .float16)
    return [first, second].map { try! $0.withGoldenFrames(1, seed: 2).encoded() }
  }()

  @Test(arguments: 0..<40)
  func `a mutated file is refused or written again as it was`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var accepted = 0
    for _ in 0..<1_000 {
      let file = mutated(Self.files[random.index(Self.files.count)], &random)
      do throws(ModelError) {
        let bytes = try file.decoded().encoded()
        #expect(bytes == file, "seed \(seed)")
        accepted += 1
      } catch {
        if case .file = error { Issue.record("seed \(seed): nothing was read from a file") }
      }
    }
    // Many mutations are of a weight, so both outcomes are seen.
    #expect(accepted > 0 && accepted < 1_000, "seed \(seed)")
  }

  private func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var file = HostileFile(bytes)
    for _ in 0...random.index(3) {
      let section = HostileFile.Section.allCases[random.index(5)]
      guard file[section].count >= 4 else { continue }
      let position = random.index(file[section].count)
      switch random.index(6) {
      case 0: file[section][position] = UInt8(truncatingIfNeeded: random.next())
      case 1: file[section][position] &+= 1
      case 2: file[section][position] ^= 1 << UInt8(random.index(8))
      case 3: file[section].insert(UInt8(random.index(4)), at: position)
      case 4: file[section].removeSubrange(position..<min(position + 4, file[section].count))
      default:
        let values: [UInt32] = [0, 1, 2, 64, 0x8000_0000, 0xFFFF_FFFF, 65_536, 0x7F80_0000]
        let value = HostileFile.littleEndian(values[random.index(values.count)])
        file.overwrite(section, at: min(position & ~3, file[section].count - 4), with: value)
      }
    }
    return file.sealed()
  }
}
