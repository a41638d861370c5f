/* SPDX-License-Identifier: MIT */
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int make_memfd(size_t size_bytes, int* fd, char** data, mlos_error_t* error) {
  *fd = memfd_create("mlos", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (*fd < 0) return fail_errno(error, "cannot make shared memory");
  const int allocated = posix_fallocate(*fd, 0, (off_t)size_bytes);
  if (allocated != 0) errno = allocated;
  void* mapped = MAP_FAILED;
  if (allocated == 0 && fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0) {
    mapped = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  }
  if (mapped != MAP_FAILED) {
    *data = mapped;
    return MLOS_OK;
  }
  const int code = fail_errno(error, "cannot make shared memory");
  close(*fd);
  return code;
}
