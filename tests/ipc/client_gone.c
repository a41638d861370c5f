/* SPDX-License-Identifier: MIT
 *
 * What tests/integration/ipc/test_c_client.py runs against a Core that goes away:
 * client_gone SOCKET WAY SPIN_US UNREAD. It waits on a ring for `slow`, with an answer unread on
 * the socket where UNREAD is 1, and says how the wait ended. Where WAY is `breach` it breaks the
 * ring's rules itself; otherwise somebody ends Core once it says "waiting". */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <mlos/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static mlos_error_t error;

static void must(int code) {
  if (code == MLOS_OK) return;
  printf("%s: %s\n", error.reason, error.message);
  exit(1);
}

static uint64_t submit(mlos_client_t* client, const char* model_id, uint32_t rank, int64_t count) {
  static const float zeros[1 << 14];
  const int64_t shape[2] = {count, 1};
  mlos_tensor_t input = {.name = "x", .dtype = MLOS_FLOAT32, .rank = rank, .shape = shape};
  const mlos_request_t request = {.model_id = model_id, .inputs = &input, .input_count = 1};
  uint64_t request_id = 0;
  input.data = zeros;
  input.size_bytes = (size_t)count * sizeof(float);
  must(mlos_submit(client, &request, &request_id, &error));
  return request_id;
}

/* Until the library's socket has something to read, which stays there. */
static void await_unread(void) {
  char byte;
  int fd = 3;
  while (fd < 64 && recv(fd, &byte, 1, MSG_PEEK) < 0) ++fd;
}

/* The memory of the ring, which the library keeps to itself. */
static char* find_ring(void) {
  char line[512];
  void* start = NULL;
  FILE* maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && start == NULL && fgets(line, sizeof(line), maps) != NULL) {
    if (strstr(line, "memfd:") != NULL && sscanf(line, "%p", &start) != 1) start = NULL;
  }
  if (maps != NULL) fclose(maps);
  return start;
}

/* Says that requests are there that are not, and wakes Core. */
static void breach(void) {
  char* const ring = find_ring();
  if (ring == NULL) exit(2);
  *(volatile uint32_t*)(void*)ring = 0x12345678;
  syscall(SYS_futex, ring + 128, FUTEX_WAKE, 1000, NULL, NULL, 0);
}

int main(int argc, char** argv) {
  mlos_client_t* client = NULL;
  mlos_result_t* result = NULL;
  if (argc != 5) return 2;
  must(mlos_connect(argv[1], &client, &error));
  must(mlos_attach_ring(client, 4, 4096, &error));
  mlos_set_spin(client, atoll(argv[3]));
  const uint64_t slow_id = submit(client, "slow", 1, 1);
  if (*argv[4] == '1') {
    submit(client, "f", 2, 1 << 14);
    await_unread();
  }
  puts("waiting");
  fflush(stdout);
  if (strcmp(argv[2], "breach") == 0) breach();
  const int code = mlos_wait(client, slow_id, &result, &error);
  printf("%d %s\n", code, error.reason);
  mlos_close(client);
  return 0;
}
