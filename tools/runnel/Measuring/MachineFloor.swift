import CMeasuring
import Runnel

/// What this core does at best, measured here and now: how fast it loads a buffer of a size, and how
/// fast it multiplies and adds.
///
/// It is a floor and not a limit: nothing that reads so many bytes and does so many multiply-adds
/// can be faster, and a recurrent network, in which a frame waits for the one before, cannot be as
/// fast. (Where the weights pass from one cache to another, a buffer that is read from its start to
/// its end can be slower than weights that are read to and fro.)
struct MachineFloor {
  /// Bytes that are loaded in a nanosecond, which is the same as GB/s.
  let bytesPerNanosecond: Double
  /// Multiply-adds in a nanosecond.
  let multiplyAddsPerNanosecond: Double

  /// Measures, for some tens of milliseconds.
  ///
  /// - Parameters:
  ///   - level: The instructions that may be used.
  ///   - bytes: The size of the buffer.
  ///   - kind: The type of the numbers that are multiplied.
  init(level: InstructionLevel, bytes: Int, kind: measuring_kind) {
    bytesPerNanosecond = Self.readRate(level: Int32(level.rawValue), bytes: bytes)
    multiplyAddsPerNanosecond = Self.arithmeticRate(level: Int32(level.rawValue), kind: kind)
  }

  /// The least nanoseconds in which bytes are loaded and multiply-adds are done, one beside the
  /// other.
  func nanoseconds(bytes: Int, multiplyAdds: Int) -> Double {
    max(
      Double(bytes) / bytesPerNanosecond, Double(multiplyAdds) / multiplyAddsPerNanosecond)
  }

  private static let runs = 5
  private static let runNanoseconds = 3_000_000

  /// The best rate of several runs, where `work` does something so many times.
  private static func best(amount: Double, _ work: (Int) -> Void) -> Double {
    func time(_ count: Int) -> Int {
      let start = runnel.nanoseconds()
      work(count)
      return runnel.nanoseconds() - start
    }
    var count = 1
    while time(count) < runNanoseconds { count *= 2 }
    return (0..<runs).map { _ in amount * Double(count) / Double(time(count)) }.max()!
  }

  private static func readRate(level: Int32, bytes: Int) -> Double {
    let size = max(512, (bytes + 511) & ~511)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer { unsafe buffer.deallocate() }
    // Written, so that it is memory of its own and not the system's one page of zeros.
    unsafe buffer.initializeMemory(as: UInt8.self, repeating: 1)
    return best(amount: Double(size)) { count in
      unsafe measuring_read(level, buffer.baseAddress, size, count)
    }
  }

  private static func arithmeticRate(level: Int32, kind: measuring_kind) -> Double {
    let round = measuring_multiply_add(level, kind, 1)
    return best(amount: Double(round)) { count in
      _ = measuring_multiply_add(level, kind, UInt64(count))
    }
  }
}
