#if canImport(Glibc)
  internal import Glibc
#endif

/// Calls `body` with denormal numbers, in this thread, counting as zero where the CPU is x86.
///
/// Gradients that vanish over a long sequence become denormal long before they are 0, and arithmetic
/// on denormals takes such a CPU a hundred times as long.
func flushingDenormals(_ body: () -> Void) {
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
