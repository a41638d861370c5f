# SPDX-License-Identifier: MIT
# Sourced by setup.sh: programs of the tests that are published as Go source only.

# The last one that Debian 12's Go (1.19) can build.
grpcurl_version=v1.8.9

# Its modules come through the Go proxy and are checked against Go's checksum database.
provide_grpcurl() {
  local key scratch
  key=$(step_key "$grpcurl_version" "$deps")
  if step_done grpcurl "$key" && [ -x "$deps/bin/grpcurl" ]; then return; fi
  command -v go > /dev/null ||
    die "go is needed to build grpcurl (Debian: in the package golang-go)."
  say "building grpcurl $grpcurl_version, which calls Core by what its reflection tells"
  scratch=$(mktemp -d)
  # Modules are written read-only, and would not be removed.
  GOFLAGS="-mod=mod -modcacherw" GOPATH=$scratch/path GOCACHE=$scratch/cache GOBIN=$deps/bin \
    CGO_ENABLED=0 go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$grpcurl_version" \
    2> "$deps/go.log" || {
    tail -n 20 "$deps/go.log" >&2
    rm -rf "$scratch"
    die "grpcurl could not be built; the lines above say why."
  }
  rm -rf "$scratch"
  mark_done grpcurl "$key"
}
