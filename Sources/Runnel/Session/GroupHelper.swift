internal import CKernelShims
#if canImport(Glibc)
  internal import Glibc
#endif

/// A second thread that takes half of a group's streams.
///
/// Nobody waits for a lock: the thread looks at a counter until there is work, and a step whose
/// helper has not begun with its half does that half itself.
@safe final class GroupHelper: @unchecked Sendable {
  // SAFETY (`Sendable`): what both threads touch are the atomic members of `job`, and its other
  // members only between an offer and its end.

  private let level: InstructionLevel
  private let weights: UnsafeRawPointer
  let job: UnsafeMutablePointer<rn_job>
  /// The thread's working memory.
  private let work: UnsafeMutableRawPointer
  private var thread = pthread_t()

  init(_ level: InstructionLevel, weights: UnsafeRawPointer) {
    self.level = level
    unsafe self.weights = weights
    unsafe job = .allocate(capacity: 1)
    unsafe job.initialize(to: rn_job())
    unsafe work = .allocate(byteCount: RN_WORK_BYTES, alignment: 64)
    let unmanaged = unsafe Unmanaged.passRetained(self)
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        let helper = unsafe Unmanaged<GroupHelper>.fromOpaque(argument!).takeUnretainedValue()
        helper.help()
        return nil
      }, unmanaged.toOpaque())
    precondition(error == 0, "the system gives no second thread")
  }

  deinit {
    unsafe job.deallocate()
    unsafe work.deallocate()
  }

  /// Ends the thread.
  func stop() {
    unsafe rn_job_stop(job)
    pthread_join(thread, nil)
    unsafe Unmanaged.passUnretained(self).release()
  }

  private func help() {
    while unsafe rn_job_wait(job) != 0 {
      unsafe dispatchRun(
        level, job.pointee.lanes, Int(job.pointee.count), weights: weights, work: work)
      unsafe rn_job_done(job)
    }
  }
}

/// Runs lanes on this thread and a group's second one.
@inline(always) @_noAllocation @_noLocks
func runOnTwoThreads(
  _ job: UnsafeMutablePointer<rn_job>, _ level: InstructionLevel,
  _ lanes: UnsafeMutablePointer<rn_lane>, _ count: Int, weights: UnsafeRawPointer,
  work: UnsafeMutableRawPointer
) {
  // Half for each, in whole tiles of four: less than a tile is not worth the way to the other core.
  let mine = min(count, (count &+ 7) / 8 &* 4)
  guard mine < count else {
    unsafe dispatchRun(level, lanes, count, weights: weights, work: work)
    return
  }
  unsafe rn_job_offer(job, lanes + mine, Int64(truncatingIfNeeded: count &- mine))
  unsafe dispatchRun(level, lanes, mine, weights: weights, work: work)
  if unsafe rn_job_claim(job) != 0 {
    unsafe dispatchRun(level, lanes + mine, count &- mine, weights: weights, work: work)
  } else {
    unsafe rn_job_await(job)
  }
}
