/* SPDX-License-Identifier: MIT
 *
 * What HTTP/1.1 costs at least: http_floor PORT THREADS. Each thread has an epoll and a listener of
 * its own on 127.0.0.1; a request is received whole (to the blank line, then as many bytes as its
 * Content-Length says) and answered with the same 200, of the size that the model `null` is
 * answered with. Nothing else is looked at: the only client is a load generator. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBufferBytes = 4 << 20, kEvents = 64 };

static const char kReply[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 115\r\n\r\n"
    "{\"model_name\":\"null\",\"model_version\":\"1\",\"outputs\":[{\"name\":\"y\",\"datatype\":"
    "\"FP32\",\"shape\":[1,4],\"data\":[1,2,3,4]}]}";

struct connection {
  int fd;
  size_t used;
  size_t wanted; /* bytes of the whole request; 0 until its header is there */
  char* data;
};

static int port;

static void must(int ok) {
  if (ok) return;
  perror("http_floor");
  exit(1);
}

static void watch(int epoll, int fd, void* what) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static int listener(void) {
  const int one = 1;
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  must(fd >= 0);
  must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
  must(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0);
  must(bind(fd, (const struct sockaddr*)&address, sizeof(address)) == 0);
  must(listen(fd, 1024) == 0);
  return fd;
}

static void take(int epoll, int from) {
  const int one = 1;
  struct connection* connection = calloc(1, sizeof(*connection));
  must(connection != NULL);
  connection->fd = accept4(from, NULL, NULL, SOCK_NONBLOCK);
  must(connection->fd >= 0);
  connection->data = malloc(kBufferBytes + 1);
  must(connection->data != NULL);
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  watch(epoll, connection->fd, connection);
}

static void drop(struct connection* connection) {
  close(connection->fd);
  free(connection->data);
  free(connection);
}

/* Sets `wanted` once the header is there. */
static void measure(struct connection* connection) {
  connection->data[connection->used] = '\0';
  const char* end = strstr(connection->data, "\r\n\r\n");
  if (end == NULL) return;
  const char* length = strcasestr(connection->data, "content-length:");
  connection->wanted = (size_t)(end - connection->data) + 4;
  if (length != NULL && length < end) connection->wanted += strtoul(length + 15, NULL, 10);
  must(connection->wanted <= kBufferBytes);
}

/* Receives what is there; 0 where the client went away. */
static int receive(struct connection* connection) {
  for (;;) {
    const ssize_t got = recv(connection->fd, connection->data + connection->used,
                             kBufferBytes - connection->used, 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return 0;
    connection->used += (size_t)got;
    if (connection->wanted == 0) measure(connection);
    if (connection->wanted == 0 || connection->used < connection->wanted) continue;
    connection->used = connection->wanted = 0;
    return send(connection->fd, kReply, sizeof(kReply) - 1, MSG_NOSIGNAL) > 0;
  }
}

static void* serve(void* unused) {
  struct epoll_event events[kEvents];
  const int epoll = epoll_create1(0);
  const int from = listener();
  must(epoll >= 0);
  watch(epoll, from, NULL);
  for (;;) {
    const int count = epoll_wait(epoll, events, kEvents, -1);
    for (int i = 0; i < count; ++i) {
      struct connection* connection = events[i].data.ptr;
      if (connection == NULL) {
        take(epoll, from);
      } else if (!receive(connection)) {
        drop(connection);
      }
    }
  }
  return unused;
}

int main(int argc, char** argv) {
  pthread_t thread;
  if (argc != 3) return 2;
  port = atoi(argv[1]);
  for (int i = 1; i < atoi(argv[2]); ++i) must(pthread_create(&thread, NULL, serve, NULL) == 0);
  serve(NULL);
  return 0;
}
