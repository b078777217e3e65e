import Glibc
import Synchronization

/// Ctrl-C and SIGTERM while something is done that has to end in good order.
enum Interruption {
  /// The signal that came, or 0.
  private static let signal = Atomic<Int32>(0)

  /// Lets both signals through, which a parent may have blocked, and ends the process when they come.
  static func prepare() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGINT)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigprocmask(SIG_UNBLOCK, &signals, nil)
    end()
  }

  /// From now on the first signal is a request; a second one ends the process.
  static func begin() {
    signal.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      Glibc.signal(number) { number in
        let earlier = Interruption.signal.exchange(number, ordering: .relaxed)
        if earlier != 0 { _exit(128 + number) }
      }
    }
  }

  /// From now on a signal ends the process again.
  static func end() {
    Glibc.signal(SIGINT) { _ in _exit(ExitCode.interrupted.rawValue) }
    Glibc.signal(SIGTERM, SIG_DFL)
  }

  /// Whether a signal came.
  static var isRequested: Bool { signal.load(ordering: .relaxed) != 0 }

  /// How the process ends after the signal that came.
  static var exitCode: ExitCode {
    signal.load(ordering: .relaxed) == SIGTERM ? .terminated : .interrupted
  }
}
