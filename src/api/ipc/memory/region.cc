// SPDX-License-Identifier: MIT
#include "api/ipc/memory/region.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <string>

namespace mlos::api::ipc::memory {
namespace {

constexpr std::uint64_t kBlockBytes = 512;  // of st_blocks

Status Unusable(std::string_view what) {
  return Status(Reason::kInvalidField, std::string(what)).WithField("descriptor");
}

Status CheckSize(const struct stat& file, std::uint64_t size_bytes_max) {
  const auto size_bytes = static_cast<std::uint64_t>(file.st_size);
  if (file.st_size <= 0) return Unusable("the memfd is empty");
  if (size_bytes > size_bytes_max) {
    return Status(Reason::kPayloadTooLarge,
                  "the memfd has " + std::to_string(size_bytes) + " bytes, above the " +
                      std::to_string(size_bytes_max) + " that are left for regions")
        .WithField("descriptor");
  }
  // Memory that is not there yet would be taken in Core's name, when Core touches it.
  if (static_cast<std::uint64_t>(file.st_blocks) * kBlockBytes < size_bytes) {
    return Unusable("the memfd has holes; allocate it as a whole, with posix_fallocate");
  }
  return OkStatus();
}

}  // namespace

Result<Mapping> Mapping::Create(UniqueFd fd, bool writable, std::uint64_t size_bytes_max) {
  // Only memory files know seals, and only those made for sealing have these two.
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  constexpr int kNeeded = F_SEAL_SHRINK | F_SEAL_GROW;
  if (seals < 0) return Unusable("the descriptor is not a memfd");
  if ((seals & kNeeded) != kNeeded) {
    return Unusable("the memfd is not sealed with F_SEAL_SHRINK and F_SEAL_GROW");
  }
  struct stat file{};
  if (::fstat(fd.get(), &file) != 0 || !S_ISREG(file.st_mode)) {
    return Unusable("the descriptor is not a memfd");
  }
  struct statfs system{};
  if (::fstatfs(fd.get(), &system) != 0 || system.f_type != TMPFS_MAGIC) {
    return Unusable("the memfd has huge pages; make it without MFD_HUGETLB");
  }
  MLOS_TRY(CheckSize(file, size_bytes_max));
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* data =
      ::mmap(nullptr, static_cast<std::size_t>(file.st_size), protection, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) {
    return Unusable(writable ? "the memfd cannot be mapped for writing"
                             : "the memfd cannot be mapped");
  }
  Mapping mapping;
  mapping.data_ = static_cast<char*>(data);
  mapping.size_bytes_ = static_cast<std::uint64_t>(file.st_size);
  // Set only while no writable mapping exists, and none can be made afterwards.
  mapping.write_sealed_ = (seals & F_SEAL_WRITE) != 0;
  return mapping;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_bytes_);
}

Result<char*> Region::At(std::uint64_t offset, std::uint64_t size_bytes,
                         std::string_view field) const {
  if (offset > mapping_.size_bytes() || size_bytes > mapping_.size_bytes() - offset) {
    return Status(Reason::kInvalidField,
                  std::to_string(size_bytes) + " bytes at " + std::to_string(offset) +
                      " do not lie in a region of " + std::to_string(mapping_.size_bytes()))
        .WithField(field);
  }
  return mapping_.data() + offset;
}

}  // namespace mlos::api::ipc::memory
