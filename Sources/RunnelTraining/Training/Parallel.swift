internal import Dispatch

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Calls `body` with each number of `0 ..< count`, on so many threads.
///
/// Which thread makes which call depends on nothing but the numbers; calls must not touch what
/// others write.
func concurrently(_ count: Int, threads: Int, _ body: (Int) -> Void) {
  let workers = min(count, threads)
  guard workers > 1 else {
    for index in 0..<count { body(index) }
    return
  }
  withoutActuallyEscaping(body) { body in
    // SAFETY: Calls share only what they read, as this function's callers promise.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      for index in stride(from: worker, to: count, by: workers) { unsafe body(index) }
    }
  }
}

/// How many processors this process may use; at least 1.
func processorCount() -> Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }
