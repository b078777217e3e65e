// Empties the caches of what this process has touched.
//
// Lines are flushed, where walking a buffer larger than the last cache would be the other way:
// - it is certain, whatever a cache replaces first, and however its slices are shared with other
//   machines on the same host; a last cache of hundreds of megabytes cannot be walked out of by a
//   small service at all;
// - it takes time in proportion to the process (a millisecond or so), not to the cache (tens);
// - it reaches every level of every core, so that the threads of a group start cold as well.
// Left warm are what flushing does not reach: the TLBs, the branch predictors, the decoded
// instructions.
#include "CMeasuring.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 64 };
static const uintptr_t LARGEST = (uintptr_t)1 << 40;

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

// A flush that need not wait for the one before: sixty times as fast where there is one.
__attribute__((target("clflushopt"))) static void flush_unordered(uintptr_t start, uintptr_t stop) {
  for (; start < stop; start += LINE) _mm_clflushopt((void *)start);
}

static void flush_ordered(uintptr_t start, uintptr_t stop) {
  for (; start < stop; start += LINE) _mm_clflush((void *)start);
}

static int can_flush(void) { return 1; }
static void flush(uintptr_t start, uintptr_t stop) {
  unsigned a, b = 0, c, d;
  __get_cpuid_count(7, 0, &a, &b, &c, &d);
  if (b & bit_CLFLUSHOPT) flush_unordered(start, stop);
  else flush_ordered(start, stop);
}
static void finish(void) { _mm_mfence(); }

#elif defined(__aarch64__)
static int can_flush(void) { return 1; }
static void flush(uintptr_t start, uintptr_t stop) {
  for (; start < stop; start += LINE) __asm__ volatile("dc civac, %0" : : "r"(start) : "memory");
}
static void finish(void) { __asm__ volatile("dsb ish" : : : "memory"); }

#else
static int can_flush(void) { return 0; }
static void flush(uintptr_t start, uintptr_t stop) { (void)start, (void)stop; }
static void finish(void) {}
#endif

// Static, because allocating while the list of mappings is read would change the mappings.
static char text[1 << 18];

static size_t read_mappings(void) {
  int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  size_t length = 0;
  ssize_t got;
  while (length < sizeof text - 1 && (got = read(file, text + length, sizeof text - 1 - length)) > 0)
    length += (size_t)got;
  close(file);
  text[length] = 0;
  return length;
}

static uintptr_t hexadecimal(const char **place) {
  uintptr_t value = 0;
  for (;; (*place)++) {
    char c = **place;
    if (c >= '0' && c <= '9') value = value * 16 + (uintptr_t)(c - '0');
    else if (c >= 'a' && c <= 'f') value = value * 16 + (uintptr_t)(c - 'a' + 10);
    else return value;
  }
}

size_t measuring_flush_process(void) {
  if (!can_flush() || read_mappings() == 0) return 0;
  size_t lines = 0;
  // A line that was cut by the end of the buffer has no newline and is left out.
  for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    // 55d0c8a2b000-55d0c8a4c000 rw-p 00000000 00:00 0      [heap]
    const char *place = line;
    uintptr_t start = hexadecimal(&place);
    place++;
    uintptr_t stop = hexadecimal(&place);
    int is_readable = place[1] == 'r';
    // [vdso] and [vvar] are the clock, which belongs to the measurement, and [vsyscall] is a trap.
    const char *kernel = memchr(line, '[', (size_t)(end - line));
    // A mapping that no memory could fill is a sanitizer's.
    if (stop - start > LARGEST) continue;
    if (!is_readable || (kernel != NULL && kernel[1] == 'v')) continue;
    flush(start, stop);
    lines += (stop - start) / LINE;
  }
  finish();
  return lines;
}
