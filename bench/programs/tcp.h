/* SPDX-License-Identifier: MIT
 *
 * What the programs that measure TCP share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* False where the peer does not take all of it. */
static inline bool send_all(int fd, const char* data, size_t size) {
  for (size_t sent = 0; sent < size;) {
    const ssize_t part = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
    if (part <= 0) return false;
    sent += (size_t)part;
  }
  return true;
}
