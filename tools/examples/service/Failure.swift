import Glibc

/// Why the service cannot start or go on: a sentence, and a code of `sysexits.h`.
struct Failure: Error {
  let exitCode: Int32
  let sentence: String

  init(_ exitCode: Int32, _ sentence: String) {
    self.exitCode = exitCode
    self.sentence = sentence
  }

  /// The failure of a system call, as `errno` has it.
  static func system(_ call: String) -> Failure {
    Failure(EX_OSERR, "\(call): \(systemText(errno))")
  }
}

/// What an `errno` means, in words.
func systemText(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }
