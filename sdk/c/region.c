/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "memfd.h"

static int map_in_core(mlos_client_t* client, mlos_region_t* region, uint32_t access, int fd,
                       mlos_error_t* error) {
  const uint32_t body[2] = {region->region_id, access};
  frame_t answer = {0};
  const int code =
      ask(client, FRAME_MAP_REGION, body, sizeof(body), fd, FRAME_REGION, &answer, error);
  if (code != MLOS_OK) return code;
  uint32_t in_place = 0;
  if (answer.size >= HEADER_BYTES + 8) {
    memcpy(&in_place, answer.bytes + HEADER_BYTES + 4, sizeof(in_place));
  }
  region->in_place = in_place != 0;
  free(answer.bytes);
  return MLOS_OK;
}

int mlos_region_create(mlos_client_t* client, size_t size_bytes, mlos_access_t access,
                       mlos_region_t** region, mlos_error_t* error) {
  int fd = -1;
  *region = NULL;
  mlos_region_t* made = calloc(1, sizeof(*made));
  if (made == NULL) return fail_errno(error, "cannot make a region");
  int code = make_memfd(size_bytes, &fd, &made->data, error);
  if (code != MLOS_OK) {
    free(made);
    return code;
  }
  made->size_bytes = size_bytes;
  made->region_id = client->next_region_id++;
  code = map_in_core(client, made, (uint32_t)access, fd, error);
  close(fd);
  if (code != MLOS_OK) {
    munmap(made->data, size_bytes);
    free(made);
    return code;
  }
  *region = made;
  return MLOS_OK;
}

void* mlos_region_data(mlos_region_t* region) { return region->data; }
size_t mlos_region_size(const mlos_region_t* region) { return region->size_bytes; }
int mlos_region_in_place(const mlos_region_t* region) { return region->in_place ? 1 : 0; }

void mlos_region_destroy(mlos_client_t* client, mlos_region_t* region) {
  if (region == NULL) return;
  if (client != NULL && !client->broken) {
    const uint32_t body[2] = {region->region_id, 0};
    frame_t answer = {0};
    if (ask(client, FRAME_UNMAP_REGION, body, sizeof(body), -1, FRAME_REGION, &answer, NULL) ==
        MLOS_OK) {
      free(answer.bytes);
    }
  }
  munmap(region->data, region->size_bytes);
  free(region);
}
