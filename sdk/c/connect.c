/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "internal.h"

/* Who may serve beside root. */
typedef struct trust {
  uid_t own;
  uid_t named; /* `own` if nobody is named */
} trust_t;

static bool is_trusted(const trust_t* trust, uid_t user) {
  return user == 0 || user == trust->own || user == trust->named;
}

/* A number or the name of a user of this machine. */
static bool parse_user(const char* text, uid_t* user) {
  char entry[USER_ENTRY_BYTES_MAX];
  struct passwd found_user;
  struct passwd* found = NULL;
  char* end = NULL;
  if (*text >= '0' && *text <= '9') {
    errno = 0;
    const unsigned long number = strtoul(text, &end, 10);
    *user = (uid_t)number;
    /* The greatest one stands for "nobody in particular" in system calls. */
    return errno == 0 && *end == '\0' && number < UINT32_MAX;
  }
  getpwnam_r(text, &found_user, entry, sizeof(entry), &found);
  if (found == NULL) return false;
  *user = found->pw_uid;
  return true;
}

static int find_trusted(const char* server_user, trust_t* trust, mlos_error_t* error) {
  char message[256];
  trust->own = geteuid();
  trust->named = trust->own;
  if (server_user == NULL) server_user = getenv("MLOS_SERVER_USER");
  if (server_user == NULL || *server_user == '\0') return MLOS_OK;
  if (parse_user(server_user, &trust->named)) return MLOS_OK;
  snprintf(message, sizeof(message), "'%.64s' is not a user of this machine, by name or number",
           server_user);
  return fail(error, MLOS_INVALID_ARGUMENT, "INVALID_FIELD", "server_user", message);
}

static int fail_untrusted(const char* path, uid_t user, mlos_error_t* error) {
  char message[512];
  snprintf(message, sizeof(message),
           "user %lu serves %s, who is neither this user nor root; if that is Core's user, name it "
           "with MLOS_SERVER_USER or mlos_connect_trusting",
           (unsigned long)user, path);
  return fail(error, MLOS_PERMISSION_DENIED, "UNTRUSTED_SERVER", "", message);
}

static int check_server(int fd, const char* path, const trust_t* trust, mlos_error_t* error) {
  struct ucred server;
  socklen_t size = sizeof(server);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0) {
    return fail_errno(error, "cannot tell who serves the socket");
  }
  return is_trusted(trust, server.uid) ? MLOS_OK : fail_untrusted(path, server.uid, error);
}

static int connect_at(const char* path, const trust_t* trust, int* fd, mlos_error_t* error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char what[256];
  const size_t path_bytes = strlen(path) + 1;
  if (path_bytes > sizeof(address.sun_path)) {
    return fail(error, MLOS_INVALID_ARGUMENT, "INVALID_FIELD", "path", "the path is too long");
  }
  memcpy(address.sun_path, path, path_bytes);
  *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (*fd < 0) return fail_errno(error, "cannot make a socket");
  int code = MLOS_OK;
  if (connect(*fd, (const struct sockaddr*)&address, sizeof(address)) == 0) {
    code = check_server(*fd, path, trust, error);
  } else {
    snprintf(what, sizeof(what), "cannot connect to Core at %s", path);
    code = fail_errno(error, what);
  }
  if (code != MLOS_OK) close(*fd);
  return code;
}

/* As connect_at. A stranger's full queue would keep whoever connects waiting, so whose the socket
 * is is looked at before: Core's default ones are its own user's. */
static int connect_default(const char* path, const trust_t* trust, int* fd, mlos_error_t* error) {
  struct stat file;
  if (lstat(path, &file) == 0 && !is_trusted(trust, file.st_uid)) {
    return fail_untrusted(path, file.st_uid, error);
  }
  return connect_at(path, trust, fd, error);
}

/* Connects at the first place at which somebody serves who may. */
static int connect_somewhere(const trust_t* trust, int* fd, mlos_error_t* error) {
  char path[sizeof(((struct sockaddr_un*)NULL)->sun_path)];
  struct stat file;
  int code = MLOS_OK;
  for (enum place place = 0; place < PLACE_COUNT; ++place) {
    if (!default_path(place, path, sizeof(path))) continue;
    /* What is not there is no news, and the first failure tells more than later ones. */
    if (lstat(path, &file) != 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
    mlos_error_t failure;
    const int outcome = connect_default(path, trust, fd, &failure);
    if (outcome == MLOS_OK) return MLOS_OK;
    if (code != MLOS_OK) continue;
    code = outcome;
    if (error != NULL) *error = failure;
  }
  if (code != MLOS_OK) return code;
  return fail(error, MLOS_UNAVAILABLE, "IO_ERROR", "",
              "no Core listens at any of the default places; start one, or give its --socket");
}

int connect_core(const char* path, const char* server_user, int* fd, mlos_error_t* error) {
  trust_t trust;
  const int code = find_trusted(server_user, &trust, error);
  if (code != MLOS_OK) return code;
  return path == NULL ? connect_somewhere(&trust, fd, error) : connect_at(path, &trust, fd, error);
}
