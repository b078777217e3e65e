// What tests need from the operating system and the CPU and Swift has no words for.
#pragma once
#include <stdint.h>

/// Runs `body` in a forked child that may make no system call but exit (seccomp's strict mode).
///
/// Returns 0 when the body came back, the number of the signal that killed the child (SIGKILL for
/// a system call), or -1 when there is no child or no seccomp.
int32_t sealed_run(void (*body)(void *context), void *context);

/// Makes a system call, the one thing that `sealed_run` must notice.
void call_system(void);

/// Makes the calling thread's SSE unit treat denormals as zeros, or not.
void flush_denormals(int32_t on);

/// Whether RealtimeSanitizer is linked in; see tools/check.
int32_t has_realtime_sanitizer(void);

/// Between these two calls RealtimeSanitizer ends the process on any allocation, lock or other call
/// that could block. They do nothing where it is not linked in.
void enter_realtime(void);
void exit_realtime(void);

/// Allocates and frees, which RealtimeSanitizer must notice.
void allocate(void);
