/* SPDX-License-Identifier: MIT
 *
 * What IPC costs at least: ipc_floor COUNT [CPU CPU]. Two processes play ping-pong with 64 bytes
 * over a Unix socket (sleeping, polling) and over shared memory (polling, then sleeping on a
 * futex), at last with 602,112 bytes that one copies into shared memory and the other reads there.
 * Prints microseconds at p50 and p99. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/programs/timing.h"

enum { kBytes = 64, kPolls = 4000, kTensorBytes = 602112 };

static int cpu_client = -1;
static int cpu_server = -1;

static void pin(int cpu) {
  cpu_set_t set;
  if (cpu < 0) return;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

static void report(const char* name, double* times, int count) {
  sort_times(times, count);
  printf("%s %.2f %.2f\n", name, times[count / 2], times[(int)(count * 0.99)]);
  fflush(stdout);
}

static void receive(int fd, char* data, int flags) {
  size_t got = 0;
  while (got < kBytes) {
    const ssize_t part = recv(fd, data + got, kBytes - got, flags);
    if (part > 0) {
      got += (size_t)part;
    } else if (part == 0 || errno != EAGAIN) {
      _exit(0);
    }
  }
}

static void over_socket(const char* name, int flags, double* times, int count) {
  int ends[2];
  char data[kBytes] = {0};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) exit(1);
  const pid_t server = fork();
  if (server == 0) {
    close(ends[0]);
    pin(cpu_server);
    for (;;) {
      receive(ends[1], data, flags);
      if (send(ends[1], data, kBytes, MSG_NOSIGNAL) != kBytes) _exit(0);
    }
  }
  close(ends[1]);
  for (int i = -count / 10; i < count; ++i) {
    const double start = now_us();
    if (send(ends[0], data, kBytes, MSG_NOSIGNAL) != kBytes) exit(1);
    receive(ends[0], data, flags);
    if (i >= 0) times[i] = now_us() - start;
  }
  close(ends[0]);
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  report(name, times, count);
}

struct words {
  _Alignas(64) atomic_uint ping;
  _Alignas(64) atomic_uint pong;
  _Alignas(64) atomic_uint sleeps[2];
  _Alignas(64) char request[kBytes];
  _Alignas(64) char reply[kBytes];
};

static void await(atomic_uint* word, unsigned wanted, atomic_uint* sleeps) {
  unsigned seen = 0;
  for (int polls = kPolls; (seen = atomic_load(word)) != wanted;) {
    if (polls-- > 0) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
      continue;
    }
    atomic_store(sleeps, 1);
    if (atomic_load(word) == seen) syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
    atomic_store(sleeps, 0);
  }
}

static void post(atomic_uint* word, unsigned value, atomic_uint* sleeps) {
  atomic_store(word, value);
  if (atomic_load(sleeps) != 0) syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void* share(size_t size) {
  void* memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  return memory;
}

/* Looks at each cache line, so that it moves to this core. */
static float read_all(const float* numbers, size_t size) {
  float sum = 0;
  for (size_t i = 0; i < size / sizeof(float); i += 16) sum += numbers[i];
  return sum;
}

/* Each message has kBytes of its own beside its word; requests bring `size` bytes of payload more.
 */
static void over_memory(const char* name, size_t size, double* times, int count) {
  struct words* words = share(sizeof(*words));
  float* payload = share(kTensorBytes);
  float* source = calloc(1, kTensorBytes);
  if (source == NULL) exit(1);
  const pid_t server = fork();
  if (server == 0) {
    volatile float sum = 0;
    pin(cpu_server);
    for (unsigned i = 1;; ++i) {
      await(&words->ping, i, &words->sleeps[0]);
      sum = sum + read_all(payload, size);
      memcpy(words->reply, words->request, kBytes);
      post(&words->pong, i, &words->sleeps[1]);
    }
  }
  unsigned turn = 0;
  char message[kBytes] = {0};
  for (int i = -count / 10; i < count; ++i) {
    const double start = now_us();
    memcpy(payload, source, size);
    memcpy(words->request, message, kBytes);
    post(&words->ping, ++turn, &words->sleeps[0]);
    await(&words->pong, turn, &words->sleeps[1]);
    memcpy(message, words->reply, kBytes);
    if (i >= 0) times[i] = now_us() - start;
  }
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  munmap(words, sizeof(*words));
  munmap(payload, kTensorBytes);
  free(source);
  report(name, times, count);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int count = atoi(argv[1]);
  if (argc > 3) {
    cpu_client = atoi(argv[2]);
    cpu_server = atoi(argv[3]);
  }
  double* times = malloc((size_t)count * sizeof(double));
  if (times == NULL) return 1;
  pin(cpu_client);
  over_socket("socket_sleeping", 0, times, count);
  over_socket("socket_polling", MSG_DONTWAIT, times, count);
  over_memory("memory", 0, times, count);
  over_memory("memory_602k", kTensorBytes, times, count / 10);
  free(times);
  return 0;
}
