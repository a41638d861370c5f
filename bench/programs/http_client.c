/* SPDX-License-Identifier: MIT
 *
 * What tcp_floor is to a bare server, to one of HTTP: http_client PORT FILE COUNT. Sends the
 * request in FILE, head and body, over one connection again and again, and sleeps while it waits
 * for the reply, which has a Content-Length. Prints microseconds at p50 and p99. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/programs/tcp.h"
#include "bench/programs/timing.h"

enum { kReplyBytes = 64 << 10 };

static void must(int ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "http_client: %s\n", what);
  exit(1);
}

static int connected(int port) {
  const int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  must(connect(fd, (struct sockaddr*)&address, sizeof(address)) == 0, "cannot connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return fd;
}

static char* contents(const char* path, size_t* size) {
  struct stat status;
  FILE* file = fopen(path, "rb");
  must(file != NULL && fstat(fileno(file), &status) == 0, "cannot read the request");
  *size = (size_t)status.st_size;
  char* data = malloc(*size);
  must(data != NULL && fread(data, 1, *size, file) == *size, "cannot read the request");
  fclose(file);
  return data;
}

/* How long the whole reply is, once its head is there; 0 before. */
static size_t reply_size(const char* data) {
  const char* end = strstr(data, "\r\n\r\n");
  if (end == NULL) return 0;
  const char* length = strcasestr(data, "\r\ncontent-length:");
  must(strncmp(data, "HTTP/1.1 200 ", 13) == 0 && length != NULL && length < end, data);
  return (size_t)(end + 4 - data) + strtoul(length + 17, NULL, 10);
}

static void receive(int fd, char* data) {
  size_t got = 0;
  size_t size = 0;
  while (size == 0 || got < size) {
    const ssize_t part = recv(fd, data + got, kReplyBytes - got, 0);
    must(part > 0, "the reply is not whole");
    got += (size_t)part;
    data[got] = '\0';
    if (size == 0) size = reply_size(data);
    must(size <= kReplyBytes, "the reply is too long");
  }
}

int main(int argc, char** argv) {
  size_t size = 0;
  if (argc != 4) return 2;
  const int fd = connected(atoi(argv[1]));
  const char* request = contents(argv[2], &size);
  const int count = atoi(argv[3]);
  static char reply[kReplyBytes + 1];
  double* times = malloc((size_t)count * sizeof(double));
  must(times != NULL, "no memory");
  for (int i = -count / 10; i < count; ++i) {
    const double start = now_us();
    must(send_all(fd, request, size), "the server does not take the request");
    receive(fd, reply);
    if (i >= 0) times[i] = now_us() - start;
  }
  sort_times(times, count);
  printf("%.1f %.1f\n", times[count / 2], times[(int)(count * 0.99)]);
  return 0;
}
