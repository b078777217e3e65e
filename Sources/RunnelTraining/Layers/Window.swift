/// Which frames of which streams are computed together: the shape of one forward and backward pass.
///
/// Streams are ordered from the longest to the shortest, so those that still run at a frame are
/// always the first ones, and a tensor over the window holds just their rows: for each frame, one
/// row for each running stream. With equal lengths that is `[T, B, size]`; with different lengths
/// there is no padding to compute, to mask or to leak from. `rows` is the number of rows.
package struct Window: Sendable {
  /// The number of streams, `B`, those without a frame in this window included.
  package let streams: Int
  /// For each frame, how many streams run; never growing.
  package let active: [Int]
  /// For each frame, its first row; and last, the number of rows.
  package let offsets: [Int]
  /// The number of frames, `T`.
  package var frames: Int { active.count }
  /// The number of rows.
  package var rows: Int { offsets[active.count] }

  /// A window over streams with so many frames each, from the most to the fewest.
  package init(lengths: [Int]) {
    precondition(zip(lengths, lengths.dropFirst()).allSatisfy(>=), "longest stream first")
    streams = lengths.count
    var active: [Int] = []
    var offsets = [0]
    var running = lengths.count
    for frame in 0..<(lengths.first ?? 0) {
      while lengths[running - 1] <= frame { running -= 1 }
      active.append(running)
      offsets.append(offsets[frame] + running)
    }
    self.active = active
    self.offsets = offsets
  }

  /// Frames that follow each other, with so many rows together at most, or one frame.
  func blocks(ofRows count: Int) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var start = 0
    for frame in 0..<frames where offsets[frame + 1] - offsets[start] > count && frame > start {
      blocks.append(start..<frame)
      start = frame
    }
    if start < frames { blocks.append(start..<frames) }
    return blocks
  }

  /// The rows of some frames.
  func rows(of frames: Range<Int>) -> Range<Int> {
    offsets[frames.lowerBound]..<offsets[frames.upperBound]
  }

  /// The row of a stream at a frame.
  package func row(frame: Int, stream: Int) -> Int { offsets[frame] + stream }
}
