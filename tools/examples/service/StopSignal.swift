import Glibc

/// A descriptor that becomes readable when the process is asked to stop, by SIGTERM or SIGINT.
///
/// Both signals are blocked everywhere; a thread of its own waits for them and closes the other end
/// of a pipe. So no code runs in a signal handler, and the service sees one more descriptor.
struct StopSignal {
  let descriptor: Int32

  /// Must be called before the process has other threads, which inherit what is blocked.
  init() throws(Failure) {
    var signals = Self.signals
    guard unsafe pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else {
      throw .system("pthread_sigmask")
    }
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .system("pipe") }
    descriptor = ends[0]

    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { end in
        var signals = StopSignal.signals
        var signal: Int32 = 0
        unsafe sigwait(&signals, &signal)
        close(Int32(Int(bitPattern: end)))
        return nil
      }, UnsafeMutableRawPointer(bitPattern: Int(ends[1])))
    guard result == 0 else {
      throw Failure(EX_OSERR, "pthread_create: \(systemText(result))")
    }
  }

  private static var signals: sigset_t {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGINT)
    return signals
  }
}
