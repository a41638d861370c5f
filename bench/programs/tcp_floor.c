/* SPDX-License-Identifier: MIT
 *
 * What it costs at least to bring a tensor over TCP: tcp_floor BYTES COUNT. One process sends BYTES
 * over the loopback address, another receives them into memory and answers 128 bytes, as long as a
 * small answer is over HTTP; both sleep while they wait. Prints microseconds at p50 and p99. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/programs/tcp.h"
#include "bench/programs/timing.h"

enum { kReplyBytes = 128 };

static void must(int ok) {
  if (ok) return;
  perror("tcp_floor");
  exit(1);
}

static void receive(int fd, char* data, size_t size) {
  for (size_t got = 0; got < size;) {
    const ssize_t part = recv(fd, data + got, size - got, 0);
    if (part <= 0) _exit(0);
    got += (size_t)part;
  }
}

/* Both ends of a connection over the loopback address. */
static void connect_pair(int ends[2]) {
  const int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof(address);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  must(bind(listener, (struct sockaddr*)&address, sizeof(address)) == 0);
  must(listen(listener, 1) == 0);
  must(getsockname(listener, (struct sockaddr*)&address, &length) == 0);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  must(connect(ends[0], (struct sockaddr*)&address, sizeof(address)) == 0);
  ends[1] = accept(listener, NULL, NULL);
  must(ends[1] >= 0);
  for (int i = 0; i < 2; ++i) setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  close(listener);
}

static void serve(int fd, char* data, size_t size) {
  for (;;) {
    receive(fd, data, size);
    if (!send_all(fd, data, kReplyBytes)) _exit(0);
  }
}

int main(int argc, char** argv) {
  int ends[2];
  if (argc != 3) return 2;
  const size_t size = strtoul(argv[1], NULL, 10);
  const int count = atoi(argv[2]);
  char* data = calloc(1, size + kReplyBytes);
  double* times = malloc((size_t)count * sizeof(double));
  if (data == NULL || times == NULL) return 1;
  connect_pair(ends);
  const pid_t server = fork();
  if (server == 0) serve(ends[1], data, size);
  close(ends[1]);
  for (int i = -count / 10; i < count; ++i) {
    const double start = now_us();
    must(send_all(ends[0], data, size));
    receive(ends[0], data, kReplyBytes);
    if (i >= 0) times[i] = now_us() - start;
  }
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  sort_times(times, count);
  printf("%.1f %.1f\n", times[count / 2], times[(int)(count * 0.99)]);
  return 0;
}
