// SPDX-License-Identifier: MIT
#include "package/gzip_source.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/files.h"

namespace mlos::package {

bool GzipSource::Fits(int fd) {
  std::array<unsigned char, 2> magic{};
  return ::pread(fd, magic.data(), magic.size(), 0) == static_cast<ssize_t>(magic.size()) &&
         magic[0] == 0x1f && magic[1] == 0x8b;
}

Result<bool> GzipSource::Refill() {
  ssize_t count = 0;
  do {
    count = ::read(fd_, packed_.data(), packed_.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return ErrnoStatus(errno, "cannot read the archive");
  packed_bytes_ += static_cast<std::uint64_t>(count);
  inflater_.Give({packed_.data(), static_cast<std::size_t>(count)});
  return count != 0;
}

Result<std::string_view> GzipSource::Next() {
  if (!inflater_.ready()) return Status(Reason::kOutOfMemory, "no memory to decompress an archive");
  std::size_t count = 0;
  while (count == 0 && inflater_.problem().empty()) {
    if (inflater_.hungry() && !at_end_) at_end_ = !MLOS_TRY(Refill());
    count = inflater_.Next(unpacked_.data(), unpacked_.size());
    if (count == 0 && at_end_) break;
  }
  if (count == 0 && !inflater_.ProblemAtEnd().empty()) {
    return Status(Reason::kInvalidPackage,
                  "the archive's gzip file " + std::string(inflater_.ProblemAtEnd()));
  }
  unpacked_bytes_ += count;
  return std::string_view(unpacked_.data(), count);
}

}  // namespace mlos::package
