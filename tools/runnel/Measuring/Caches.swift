import RunnelTraining

/// The caches of the first CPU that hold data, as Linux tells them.
struct Caches {
  struct Cache {
    let level: Int
    let byteCount: Int
  }

  /// From the smallest to the largest; none where Linux does not tell.
  let all: [Cache]

  private static let folder = "/sys/devices/system/cpu/cpu0/cache"
  /// More than any CPU has; they are numbered without a gap.
  private static let most = 16

  init() {
    all = (0..<Self.most).compactMap { index in
      func line(_ name: String) -> Substring? {
        let bytes = try? ByteSource.contents(of: "\(Self.folder)/index\(index)/\(name)")
        return bytes.map { String(decoding: $0, as: UTF8.self).prefix { $0 != "\n" } }
      }
      guard let type = line("type"), type != "Instruction",
        let level = line("level").flatMap({ Int($0) }),
        let byteCount = line("size").flatMap(Self.byteCount)
      else { return nil }
      return Cache(level: level, byteCount: byteCount)
    }.sorted { $0.byteCount < $1.byteCount }
  }

  /// A size such as `48K`.
  private static func byteCount(_ text: Substring) -> Int? {
    let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    guard let unit = text.last.flatMap({ units[$0] }) else { return Int(text) }
    return Int(text.dropLast()).map { $0 * unit }
  }

  /// Where so many bytes stay from frame to frame: `L1`, `L2`, `L3`, `memory`, or `unknown`.
  func holder(of byteCount: Int) -> String {
    guard !all.isEmpty else { return "unknown" }
    return all.first { $0.byteCount >= byteCount }.map { "L\($0.level)" } ?? "memory"
  }
}
