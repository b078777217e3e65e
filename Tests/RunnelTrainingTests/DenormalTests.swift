import RunnelTraining
import Testing

#if arch(x86_64)
  @Suite struct DenormalTests {
    /// Half of the smallest normal number: denormal, or 0 where such numbers are flushed.
    @inline(never)
    private func halved(_ number: Float) -> Float { number * 0.5 }

    @Test(arguments: [1, 2])
    func `Denormal numbers count as zero where training computes`(threads: Int) {
      var results = [Float](repeating: 1, count: 4)
      let meeting = Meeting(of: threads)
      unsafe results.withUnsafeMutableBufferPointer { results in
        // SAFETY: Each call writes a result of its own.
        let results = results.baseAddress!
        ThreadTeam(size: threads).run(4) { index in
          meeting.join()
          unsafe results[index] = halved(.leastNormalMagnitude)
        }
      }
      #expect(results == [0, 0, 0, 0])
    }

    @Test func `Denormal numbers are what they are elsewhere, also afterwards`() {
      #expect(halved(.leastNormalMagnitude) > 0)
      ThreadTeam(size: 1).run(1) { _ in }
      #expect(halved(.leastNormalMagnitude) > 0)
    }
  }
#endif
