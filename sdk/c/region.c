/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "memfd.h"

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
