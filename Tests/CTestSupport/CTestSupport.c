#include "CTestSupport.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

int32_t sealed_run(void (*body)(void *context), void *context) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(1);
    body(context);
    syscall(SYS_exit, 0); // strict mode forbids exit_group, which _exit would call
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1;
  if (WIFSIGNALED(status)) return WTERMSIG(status);
  return WEXITSTATUS(status) == 0 ? 0 : -1;
}

void call_system(void) { syscall(SYS_getppid); }

void flush_denormals(int32_t on) {
#if defined(__x86_64__)
  // Bits 15 and 6 of MXCSR: results and operands.
  _mm_setcsr(on ? _mm_getcsr() | 0x8040 : _mm_getcsr() & ~0x8040u);
#else
  (void)on;
#endif
}

// Weak: defined by the sanitizer's runtime, or not at all.
__attribute__((weak)) void __rtsan_ensure_initialized(void);
__attribute__((weak)) void __rtsan_realtime_enter(void);
__attribute__((weak)) void __rtsan_realtime_exit(void);

int32_t has_realtime_sanitizer(void) { return __rtsan_realtime_enter != 0; }

void enter_realtime(void) {
  if (!__rtsan_realtime_enter) return;
  __rtsan_ensure_initialized();
  __rtsan_realtime_enter();
}

void exit_realtime(void) {
  if (__rtsan_realtime_exit) __rtsan_realtime_exit();
}

void allocate(void) {
  void *volatile p = malloc(64);
  free(p);
}
