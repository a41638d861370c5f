/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static int greet(mlos_client_t* client, mlos_error_t* error) {
  char body[16] = {0};
  fields_t fields = {.data = body, .size = sizeof(body)};
  const uint32_t magic = PROTOCOL_MAGIC;
  const uint16_t version = PROTOCOL_VERSION;
  frame_t answer = {0};
  put(&fields, &magic, sizeof(magic));
  put(&fields, &version, sizeof(version));
  put(&fields, &version, sizeof(version));
  const int code = ask(client, FRAME_HELLO, body, sizeof(body), -1, FRAME_HELLO_OK, &answer, error);
  if (code == MLOS_OK) free(answer.bytes);
  return code;
}

int mlos_connect(const char* path, mlos_client_t** client, mlos_error_t* error) {
  return mlos_connect_trusting(path, NULL, client, error);
}

int mlos_connect_trusting(const char* path, const char* server_user, mlos_client_t** client,
                          mlos_error_t* error) {
  *client = NULL;
  mlos_client_t* made = calloc(1, sizeof(*made));
  if (made == NULL) return fail_errno(error, "cannot make a client");
  made->next_request_id = 1;
  made->next_region_id = 1;
  int code = connect_core(path, server_user, &made->fd, error);
  if (code != MLOS_OK) {
    free(made);
    return code;
  }
  code = greet(made, error);
  if (code != MLOS_OK) {
    mlos_close(made);
    return code;
  }
  *client = made;
  return MLOS_OK;
}

void mlos_close(mlos_client_t* client) {
  if (client == NULL) return;
  close(client->fd);
  while (client->pending != NULL) {
    pending_t* next = client->pending->next;
    free(client->pending);
    client->pending = next;
  }
  while (client->answers != NULL) {
    frame_t* next = client->answers->next;
    free(client->answers->bytes);
    free(client->answers);
    client->answers = next;
  }
  ring_free(client->ring);
  free(client->scratch);
  free(client->parts);
  free(client);
}

void mlos_set_spin(mlos_client_t* client, int64_t spin_us) { client->spin_us = spin_us; }

int mlos_attach_ring(mlos_client_t* client, uint32_t slots, uint32_t slot_bytes,
                     mlos_error_t* error) {
  int fd = -1;
  ring_t* ring = NULL;
  frame_t answer = {0};
  if (client->ring != NULL) {
    return fail(error, MLOS_ALREADY_EXISTS, "ALREADY_EXISTS", "",
                "the connection has a ring already");
  }
  int code = ring_make(slots, slot_bytes, &ring, &fd, error);
  if (code != MLOS_OK) return code;
  const uint32_t body[2] = {slots, slot_bytes};
  code = ask(client, FRAME_ATTACH_RING, body, sizeof(body), fd, FRAME_RING, &answer, error);
  close(fd);
  if (code != MLOS_OK) {
    ring_free(ring);
    return code;
  }
  free(answer.bytes);
  client->ring = ring;
  return MLOS_OK;
}

int mlos_call(mlos_client_t* client, mlos_operation_t operation, const char* argument, char** json,
              mlos_error_t* error) {
  frame_t answer = {0};
  const size_t size = argument == NULL ? 0 : strlen(argument);
  *json = NULL;
  const int code =
      ask(client, (uint8_t)operation, argument, size, -1, FRAME_DOCUMENT, &answer, error);
  if (code != MLOS_OK) return code;
  const size_t text_size = answer.size - HEADER_BYTES;
  memmove(answer.bytes, answer.bytes + HEADER_BYTES, text_size);
  answer.bytes[text_size] = '\0';
  *json = answer.bytes;
  return MLOS_OK;
}

void mlos_free(void* memory) { free(memory); }
