#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H

// System calls and headers that Swift cannot reach: variadic, or outside its module of libc.

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Opens `path` below the folder `directory`, refusing every way out of it: `..`, absolute paths,
/// links that point outside. Returns a descriptor, or -1 with `errno`.
static inline int linux_open_beneath(int directory, const char *path, int flags, unsigned mode) {
  struct open_how how = {
      .flags = (unsigned)(flags | O_CLOEXEC),
      .mode = (flags & O_CREAT) ? mode : 0,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  long result;
  // EAGAIN: something was renamed meanwhile, so the kernel cannot tell whether the path stays below.
  int tries = 100;
  do {
    result = syscall(SYS_openat2, directory, path, &how, sizeof how);
  } while (result < 0 && (errno == EINTR || errno == EAGAIN) && --tries > 0);
  return (int)result;
}

/// Copies up to `count` bytes between open files inside the kernel, from and to their current
/// positions. Returns the bytes copied, 0 at the end, or -1 with `errno`.
static inline long linux_copy_file_range(int from, int to, unsigned long count) {
  return syscall(SYS_copy_file_range, from, NULL, to, NULL, count, 0u);
}

#endif
