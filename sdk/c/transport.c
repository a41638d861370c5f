/* SPDX-License-Identifier: MIT
 * Frames over the socket, and waiting for those of a request. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "internal.h"

#define PARTS_MAX 64
/* Of polling a ring, between two looks at the clock and at the socket. */
#define CLOCK_ROUNDS 64u
#define SOCKET_ROUNDS 16384u
#define GATHERED_BYTES 1024

int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

static size_t take_input(mlos_client_t* client, char* data, size_t size) {
  const size_t there = client->input_end - client->input_begin;
  const size_t taken = there < size ? there : size;
  if (taken != 0) memcpy(data, client->input + client->input_begin, taken);
  client->input_begin += taken;
  return taken;
}

/* Receives once: much into its place, little into the input buffer with what follows it. */
static ssize_t receive_once(mlos_client_t* client, char* data, size_t size, int flags) {
  if (size >= INPUT_BYTES) return recv(client->fd, data, size, flags);
  const ssize_t got = recv(client->fd, client->input, INPUT_BYTES, flags);
  if (got <= 0) return got;
  client->input_begin = 0;
  client->input_end = (size_t)got;
  return (ssize_t)take_input(client, data, size);
}

/* Polls for a while, as it is set, before it sleeps. */
static bool receive(mlos_client_t* client, char* data, size_t size) {
  const size_t taken = take_input(client, data, size);
  data += taken;
  size -= taken;
  if (size == 0) return true;
  const int64_t end = client->spin_us > 0 ? now_us() + client->spin_us : INT64_MAX;
  bool poll = client->spin_us != 0;
  while (size != 0) {
    const ssize_t got = receive_once(client, data, size, poll ? MSG_DONTWAIT : 0);
    if (got > 0) {
      data += got;
      size -= (size_t)got;
    } else if (got == 0) {
      return false;
    } else if (errno == EAGAIN) {
      poll = client->spin_us < 0 || now_us() < end;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

static int receive_frame(mlos_client_t* client, frame_t* frame, mlos_error_t* error) {
  char header[HEADER_BYTES];
  if (!receive(client, header, sizeof(header))) return fail_gone(client, error);
  memcpy(&frame->size, header, sizeof(frame->size));
  frame->type = (uint8_t)header[4];
  memcpy(&frame->request_id, header + 8, sizeof(frame->request_id));
  if (frame->size < HEADER_BYTES || frame->size > FRAME_BYTES_MAX) return fail_gone(client, error);
  /* One more, so that a document can be ended with NUL. */
  frame->bytes = malloc((size_t)frame->size + 1);
  if (frame->bytes == NULL) return fail_gone(client, error);
  memcpy(frame->bytes, header, sizeof(header));
  if (!receive(client, frame->bytes + HEADER_BYTES, frame->size - HEADER_BYTES)) {
    free(frame->bytes);
    return fail_gone(client, error);
  }
  if (frame->request_id != 0) return MLOS_OK;
  /* Of the connection, which Core then closes. */
  client->broken = true;
  const int code =
      frame->type == FRAME_ERROR ? decode_error(frame, error) : fail_gone(client, error);
  free(frame->bytes);
  return code;
}

static bool take_answer(mlos_client_t* client, uint64_t request_id, frame_t* frame) {
  for (frame_t** link = &client->answers; *link != NULL; link = &(*link)->next) {
    if ((*link)->request_id != request_id) continue;
    frame_t* found = *link;
    *link = found->next;
    *frame = *found;
    free(found);
    return true;
  }
  return false;
}

static bool is_pending(const mlos_client_t* client, uint64_t request_id) {
  if (request_id == client->asked_id) return true;
  const pending_t* pending = client->pending;
  while (pending != NULL && pending->request_id != request_id) pending = pending->next;
  return pending != NULL;
}

/* Keeps an answer that is waited for later. */
static bool keep_answer(mlos_client_t* client, const frame_t* frame) {
  frame_t* kept = is_pending(client, frame->request_id) ? malloc(sizeof(*kept)) : NULL;
  if (kept == NULL) {
    free(frame->bytes);
    return !is_pending(client, frame->request_id);
  }
  *kept = *frame;
  kept->next = client->answers;
  client->answers = kept;
  return true;
}

/* Takes in what the socket has, for whoever waits for it later; fails where it has an end. A byte
 * that can be read does not say that Core is there still, so all of them are. */
static int take_from_socket(mlos_client_t* client, mlos_error_t* error) {
  for (;;) {
    frame_t frame = {0};
    struct pollfd polled = {.fd = client->fd, .events = POLLIN | POLLRDHUP};
    const bool buffered = client->input_begin != client->input_end;
    if (!buffered && poll(&polled, 1, 0) <= 0) return MLOS_OK;
    const int code = receive_frame(client, &frame, error);
    if (code != MLOS_OK) return code;
    if (!keep_answer(client, &frame)) return fail_gone(client, error);
  }
}

/* Until more can be sent. Core reads no more from a client that takes no answers, so those that
 * come meanwhile are taken in. */
static int await_room(mlos_client_t* client, mlos_error_t* error) {
  struct pollfd polled = {.fd = client->fd, .events = POLLIN | POLLOUT | POLLRDHUP};
  if (poll(&polled, 1, -1) < 0 && errno != EINTR) return fail_gone(client, error);
  return take_from_socket(client, error);
}

static size_t fill_vector(struct iovec* vector, const part_t* parts, size_t count, size_t skip) {
  size_t used = 0;
  for (size_t i = 0; i < count && used < PARTS_MAX; ++i) {
    if (skip >= parts[i].size) {
      skip -= parts[i].size;
      continue;
    }
    /* sendmsg reads only. */
    vector[used].iov_base = (char*)(uintptr_t)parts[i].data + skip;
    vector[used].iov_len = parts[i].size - skip;
    skip = 0;
    ++used;
  }
  return used;
}

/* Sends small parts as one: copying them takes less than having the kernel look at each. As send.
 */
static ssize_t send_gathered(int fd, const part_t* parts, size_t count) {
  char bytes[GATHERED_BYTES];
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].size != 0) memcpy(bytes + size, parts[i].data, parts[i].size);
    size += parts[i].size;
  }
  return send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Sends what is left of the parts, and `fd` with the first byte where it is not negative. As send.
 */
static ssize_t send_rest(int socket, const part_t* parts, size_t count, size_t sent, int fd) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec vector[PARTS_MAX];
  struct msghdr message = {.msg_iov = vector};
  message.msg_iovlen = fill_vector(vector, parts, count, sent);
  if (fd >= 0 && sent == 0) {
    memset(&control, 0, sizeof(control));
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof(control.bytes);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Core may have said why it ended the connection, before it did. */
static int fail_sending(mlos_client_t* client, mlos_error_t* error) {
  const int code = take_from_socket(client, error);
  return code != MLOS_OK ? code : fail_gone(client, error);
}

int send_frame(mlos_client_t* client, const part_t* parts, size_t count, int fd,
               mlos_error_t* error) {
  size_t size = 0;
  size_t sent = 0;
  if (client->broken) return fail_gone(client, error);
  for (size_t i = 0; i < count; ++i) size += parts[i].size;
  const bool gather = fd < 0 && size <= GATHERED_BYTES;
  while (sent < size) {
    const ssize_t done = gather && sent == 0 ? send_gathered(client->fd, parts, count)
                                             : send_rest(client->fd, parts, count, sent, fd);
    if (done >= 0) {
      sent += (size_t)done;
    } else if (errno == EAGAIN) {
      const int code = await_room(client, error);
      if (code != MLOS_OK) return code;
    } else if (errno != EINTR) {
      return fail_sending(client, error);
    }
  }
  return MLOS_OK;
}

/* One frame of the ring. The socket tells of the end of the connection, and why. */
static int receive_ring(mlos_client_t* client, frame_t* frame, mlos_error_t* error) {
  const int64_t spin_us = client->spin_us == 0 ? 100 : client->spin_us;
  const int64_t end = spin_us < 0 ? INT64_MAX : now_us() + spin_us;
  for (unsigned round = 1;; ++round) {
    const int got = ring_receive(client->ring, frame);
    if (got > 0) return MLOS_OK;
    if (got < 0) return fail_gone(client, error);
    pause_cpu();
    if (round % CLOCK_ROUNDS != 0) continue;
    if (now_us() >= end) {
      ring_sleep(client->ring);
      if (ring_receive(client->ring, frame) > 0) return MLOS_OK;
    } else if (round % SOCKET_ROUNDS != 0) {
      continue;
    }
    const int code = take_from_socket(client, error);
    if (code == MLOS_OK) continue;
    return ring_receive(client->ring, frame) > 0 ? MLOS_OK : code;
  }
}

int wait_frame(mlos_client_t* client, uint64_t request_id, bool on_ring, frame_t* frame,
               mlos_error_t* error) {
  while (!take_answer(client, request_id, frame)) {
    if (client->broken) return fail_gone(client, error);
    frame_t next = {0};
    const int code =
        on_ring ? receive_ring(client, &next, error) : receive_frame(client, &next, error);
    if (code != MLOS_OK) return code;
    if (next.request_id == request_id) {
      *frame = next;
      return MLOS_OK;
    }
    if (!keep_answer(client, &next)) return fail_gone(client, error);
  }
  return MLOS_OK;
}

int ask(mlos_client_t* client, uint8_t type, const void* body, size_t size, int fd, uint8_t answer,
        frame_t* frame, mlos_error_t* error) {
  char header[HEADER_BYTES];
  const uint64_t request_id = client->next_request_id++;
  if (size > FRAME_BYTES_MAX - HEADER_BYTES) {
    return fail(error, MLOS_INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE", "", "the argument is too long");
  }
  put_header(header, (uint32_t)(HEADER_BYTES + size), type, fd >= 0 ? 1 : 0, request_id);
  client->asked_id = request_id;
  const part_t parts[2] = {{header, sizeof(header)}, {body, size}};
  int code = send_frame(client, parts, 2, fd, error);
  if (code == MLOS_OK) code = wait_frame(client, request_id, false, frame, error);
  client->asked_id = 0;
  if (code != MLOS_OK) return code;
  if (frame->type == answer) return MLOS_OK;
  code = frame->type == FRAME_ERROR
             ? decode_error(frame, error)
             : fail(error, MLOS_INTERNAL, "PROTOCOL", "", "Core answers something else");
  free(frame->bytes);
  return code;
}
