import Foundation
import RunnelTraining
import Synchronization
import Testing

/// So many threads that wait for each other, once and for half a second at most.
final class Meeting: Sendable {
  private let size: Int
  private let present = Atomic<Int>(0)

  init(of size: Int) { self.size = size }

  /// Returns when so many threads have joined; `false` if they have not in time.
  @discardableResult
  func join() -> Bool {
    present.add(1, ordering: .relaxed)
    let end = Date.now + 0.5
    while present.load(ordering: .relaxed) < size {
      if Date.now > end { return false }
    }
    return true
  }
}

@Suite struct ThreadTeamTests {
  /// How often each of so many calls was made, in so many batches.
  private func calls(_ team: ThreadTeam, count: Int, batches: Int, pause: Double = 0) -> [Int] {
    var made = [Int](repeating: 0, count: count)
    unsafe made.withUnsafeMutableBufferPointer { made in
      // SAFETY: Each call counts in a place of its own, and a batch ends before the next one begins.
      let made = made.baseAddress
      for _ in 0..<batches {
        team.run(count) { index in unsafe made![index] += 1 }
        if pause > 0 { Thread.sleep(forTimeInterval: pause) }
      }
    }
    return made
  }

  @Test(arguments: [1, 2, 3, 8], [1, 2, 7, 100])
  func `Each call is made once`(size: Int, count: Int) {
    let team = ThreadTeam(size: size)
    #expect(calls(team, count: count, batches: 200) == Array(repeating: 200, count: count))
    team.run(0) { _ in Issue.record("there is no call") }
  }

  @Test func `Threads that sleep wake up`() {
    let team = ThreadTeam(size: 2)
    #expect(calls(team, count: 2, batches: 5, pause: 0.02) == [5, 5])
    for _ in 0..<3 {
      // Longer than a thread looks out before it sleeps.
      Thread.sleep(forTimeInterval: 0.02)
      let meeting = Meeting(of: 2)
      team.run(2) { _ in #expect(meeting.join()) }
    }
  }

  @Test func `One thread does not meet itself`() {
    let meeting = Meeting(of: 2)
    ThreadTeam(size: 1).run(1) { _ in #expect(!meeting.join()) }
  }

  @Test func `Teams come and go`() {
    for round in 0..<50 {
      let team = ThreadTeam(size: 4)
      #expect(calls(team, count: 4, batches: round % 3) == Array(repeating: round % 3, count: 4))
    }
  }
}
