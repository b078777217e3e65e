internal import CKernelShims
#if canImport(Glibc)
  internal import Glibc
#endif

/// A second thread that takes half of a group's rows.
///
/// Nobody waits for a lock: the thread looks at a counter until there is work, and a step whose
/// helper has not begun with its half does that half itself. A thread takes frames in and gives
/// predictions out for its own streams, whose memory so stays with its core. It has weights of its own
/// too: lines that both cores hold come more slowly.
@safe final class GroupHelper: @unchecked Sendable {
  // SAFETY (`Sendable`): what both threads touch are the atomic member of `job`, and its other
  // members and the step only between an offer and its end.

  private let step: UnsafePointer<GroupStep>
  let job: UnsafeMutablePointer<rn_job>
  /// The thread's copy of the weights, and its working memory.
  private let weights: UnsafeMutableRawPointer
  private let work: UnsafeMutableRawPointer
  private var thread = pthread_t()

  /// - Parameter step: What the threads share, which lives until the helper has stopped.
  init(_ step: UnsafePointer<GroupStep>, _ model: Model) {
    unsafe self.step = step
    unsafe weights = .allocate(byteCount: max(64, model.weightByteCount), alignment: 64)
    unsafe weights.copyMemory(from: model.weights, byteCount: model.weightByteCount)
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
    unsafe weights.deallocate()
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
      unsafe job.pointee.refused = Int64(
        truncatingIfNeeded: step.pointee.run(
          first: Int(truncatingIfNeeded: job.pointee.first),
          count: Int(truncatingIfNeeded: job.pointee.count),
          weights: UnsafeRawPointer(weights), work: work))
      unsafe rn_job_done(job)
    }
  }
}

/// Steps the streams of rows 0 to `count` on this thread and a group's second one.
///
/// - Parameters:
///   - weights: The calling thread's weights.
///   - work: The calling thread's working memory.
/// - Returns: The number of streams that were refused.
@inline(always) @_noAllocation @_noLocks
func runOnTwoThreads(
  _ job: UnsafeMutablePointer<rn_job>, _ step: UnsafePointer<GroupStep>, _ count: Int,
  weights: UnsafeRawPointer, work: UnsafeMutableRawPointer
) -> Int {
  // Half for each, in whole tiles of four: less than a tile is not worth the way to the other core.
  let mine = min(count, (count &+ 7) / 8 &* 4)
  let rest = count &- mine
  guard rest > 0 else {
    return unsafe step.pointee.run(first: 0, count: count, weights: weights, work: work)
  }
  unsafe rn_job_offer(job, Int64(truncatingIfNeeded: mine), Int64(truncatingIfNeeded: rest))
  let refused = unsafe step.pointee.run(first: 0, count: mine, weights: weights, work: work)
  if unsafe rn_job_claim(job) != 0 {
    return unsafe refused
      &+ step.pointee.run(first: mine, count: rest, weights: weights, work: work)
  }
  unsafe rn_job_await(job)
  return unsafe refused &+ Int(truncatingIfNeeded: job.pointee.refused)
}
