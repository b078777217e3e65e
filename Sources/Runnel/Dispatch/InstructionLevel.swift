internal import CKernelShims

/// The instructions that the kernels may use.
public enum InstructionLevel: Int, CaseIterable, Comparable, Sendable {
  /// The baseline: x86-64-v2 (SSE 4.2), or NEON on arm64.
  case v2 = 2
  /// x86-64-v3: AVX2, FMA, F16C.
  case v3 = 3
  /// x86-64-v4 with VNNI and BF16: AVX-512.
  case v4 = 4

  /// The best level that this CPU and its operating system support.
  public static let best = InstructionLevel(rawValue: Int(rn_level())) ?? .v2

  /// Whether the first level is the lower one.
  public static func < (a: InstructionLevel, b: InstructionLevel) -> Bool {
    a.rawValue < b.rawValue
  }
}

/// Lets another thread of the core have it for a moment, in a loop that waits for memory to change.
package func pauseSpinning() { rn_pause() }
