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
/// others write. Denormal numbers count as zero in all of them.
package func concurrently(_ count: Int, threads: Int, _ body: (Int) -> Void) {
  let workers = min(count, threads)
  guard workers > 1 else {
    flushingDenormals { for index in 0..<count { body(index) } }
    return
  }
  withoutActuallyEscaping(body) { body in
    // SAFETY: Calls share only what they read, as this function's callers promise.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      flushingDenormals {
        for index in stride(from: worker, to: count, by: workers) { unsafe body(index) }
      }
    }
  }
}

/// Calls `body` with denormal numbers, in this thread, counting as zero where the CPU is x86.
///
/// Gradients that vanish over a long sequence become denormal long before they are 0, and arithmetic
/// on denormals takes such a CPU a hundred times as long.
private func flushingDenormals(_ body: () -> Void) {
  #if canImport(Glibc) && arch(x86_64)
    var environment = fenv_t()
    unsafe fegetenv(&environment)
    var flushing = environment
    // Flush to zero, and denormals are zero (Intel's manual, volume 1, 10.2.3).
    flushing.__mxcsr |= 1 << 15 | 1 << 6
    unsafe fesetenv(&flushing)
    defer { unsafe fesetenv(&environment) }
  #endif
  body()
}

/// How many processors this process may use; at least 1.
func processorCount() -> Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }
