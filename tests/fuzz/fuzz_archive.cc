// SPDX-License-Identifier: MIT
// Any bytes are refused, or are an archive that unpacks to exactly the files it lists.

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/check.h"
#include "base/unique_fd.h"
#include "package/archive.h"
#include "package/verify.h"

namespace {

namespace fs = std::filesystem;
using namespace mlos;

void Unpack(const fs::path& archive, const std::vector<package::ArchiveFile>& listed,
            const package::ArchiveLimits& limits) {
  std::string name = "/dev/shm/mlos_fuzz_XXXXXX";
  MLOS_CHECK(::mkdtemp(name.data()) != nullptr, "no staging folder");
  const auto unpacked = package::ExtractArchive(archive, name, limits);
  if (unpacked.ok()) {
    MLOS_CHECK(*unpacked == listed, "unpacked other files than were listed");
    MLOS_CHECK(package::ListFiles(name)->size() == listed.size(), "more files than were listed");
  }
  fs::remove_all(name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const UniqueFd memory(::memfd_create("archive", MFD_CLOEXEC));
  MLOS_CHECK(::write(memory.get(), data, size) == static_cast<ssize_t>(size), "short write");
  const fs::path path = "/proc/self/fd/" + std::to_string(memory.get());
  const package::ArchiveLimits limits{.entries_max = 100, .bytes_max = 1 << 20};
  const auto listed = package::ListArchive(path, limits);
  if (listed.ok()) Unpack(path, *listed, limits);
  const auto manifest = package::ReadArchivedManifest(path, limits);
  MLOS_CHECK(manifest.ok() || !manifest.status().message().empty(), "a refusal without reason");
  return 0;
}
