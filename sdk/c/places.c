/* SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

/* NULL unless it is an absolute path: what is relative counts as unset, as for Core. */
static const char* folder_of(const char* variable) {
  const char* value = getenv(variable);
  return value != NULL && *value == '/' ? value : NULL;
}

/* Writes `folder`/`rest`; false if there is no such folder or no room. */
static bool join(char* path, size_t size, const char* folder, const char* rest) {
  if (folder == NULL) return false;
  const int length = snprintf(path, size, "%s/%s", folder, rest);
  return length > 0 && (size_t)length < size;
}

static bool below_home(char* path, size_t size, const char* rest) {
  char entry[USER_ENTRY_BYTES_MAX];
  struct passwd user;
  struct passwd* found = NULL;
  const char* home = folder_of("HOME");
  if (home == NULL) {
    getpwuid_r(geteuid(), &user, entry, sizeof(entry), &found);
    if (found != NULL && found->pw_dir != NULL && *found->pw_dir == '/') home = found->pw_dir;
  }
  return join(path, size, home, rest);
}

/* Core's state folder, if Core runs as this user and was not given another. */
static bool in_state_folder(char* path, size_t size) {
  if (geteuid() == 0) return join(path, size, "/var/lib/mlos", "mlos.sock");
  const char* state = folder_of("XDG_STATE_HOME");
  if (state != NULL) return join(path, size, state, "mlos/mlos.sock");
  return below_home(path, size, ".local/state/mlos/mlos.sock");
}

bool default_path(enum place place, char* path, size_t size) {
  switch (place) {
    case PLACE_RUNTIME_FOLDER:
      return join(path, size, folder_of("XDG_RUNTIME_DIR"), "mlos.sock");
    case PLACE_SYSTEM:
      return join(path, size, "/run/mlos", "mlos.sock");
    case PLACE_STATE_FOLDER:
      return in_state_folder(path, size);
    case PLACE_SHARED:
      return join(path, size, "/tmp", "mlos.sock");
    default:
      return false;
  }
}
