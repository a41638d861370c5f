// SPDX-License-Identifier: MIT
#include "package/digest.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <variant>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace mlos::package {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kReadBytes = std::size_t{1} << 20;

std::string ToHex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 0xf]);
  }
  return hex;
}

/// -1 for anything but a lower-case digit.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Status NotADigest(std::string_view expected, std::string_view seen) {
  return {Reason::kInvalidField, "expected " + std::string(expected) +
                                     " with 64 lower-case hex digits, got '" + Excerpt(seen) + "'"};
}

Result<UniqueFd> OpenNoFollow(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const std::string name = path.filename().string();
  if (fd.valid()) return fd;
  if (errno == ELOOP) return Status(Reason::kUnsafePath, name + " is a symbolic link");
  return ErrnoStatus(errno, "cannot open " + name);
}

Result<std::uint64_t> SizeOfRegular(int fd, std::string_view name) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot read " + std::string(name));
  if (!S_ISREG(info.st_mode)) {
    return Status(Reason::kUnsafePath, std::string(name) + " is not a regular file");
  }
  return static_cast<std::uint64_t>(info.st_size);
}

/// Feeds the whole file to `hasher`; the number of bytes.
Result<std::uint64_t> HashAll(int fd, std::string_view name, Hasher& hasher,
                              const HashProgress& progress) {
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<char> buffer(kReadBytes);
  std::uint64_t total = 0;
  while (true) {
    // pread leaves the file's offset alone, as the header promises.
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(total));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot read " + std::string(name));
    if (count == 0) return total;
    const auto size = static_cast<std::size_t>(count);
    hasher.Update(std::string_view(buffer.data(), size));
    total += size;
    if (progress && !progress(size)) return Status(Reason::kCancelled, "hashing was stopped");
  }
}

}  // namespace

Result<Digest> Digest::Parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return NotADigest("'sha256:'", text);
  auto digest = ParseHex(text.substr(kPrefix.size()));
  if (!digest.ok()) return NotADigest("'sha256:'", text);
  return digest;
}

Result<Digest> Digest::ParseHex(std::string_view text) {
  std::array<std::uint8_t, kBytes> bytes{};
  if (text.size() != 2 * kBytes) return NotADigest("a SHA-256", text);
  for (std::size_t i = 0; i < kBytes; ++i) {
    const int high = HexValue(text[2 * i]);
    const int low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return NotADigest("a SHA-256", text);
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return Digest(bytes);
}

std::string Digest::Hex() const { return ToHex(bytes_); }

std::string Digest::ToString() const { return std::string(kPrefix) + Hex(); }

// What is asked for by name (EVP) loads the library's providers, two megabytes of its pages, and is
// looked up for each digest: a registry has one for each row.
struct Hasher::Context {
  std::variant<SHA256_CTX, SHA_CTX> state;
};

Hasher::Hasher(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Hasher Hasher::Sha256() {
  SHA256_CTX state;
  SHA256_Init(&state);
  return Hasher(std::make_unique<Context>(Context{state}));
}

Hasher Hasher::GitBlobSha1(std::uint64_t size_bytes) {
  SHA_CTX state;
  SHA1_Init(&state);
  Hasher hasher(std::make_unique<Context>(Context{state}));
  const std::string header = "blob " + std::to_string(size_bytes);
  hasher.Update(std::string_view(header.c_str(), header.size() + 1));
  return hasher;
}

void Hasher::Update(std::string_view bytes) {
  MLOS_CHECK(context_ != nullptr, "a hasher was used after it was finished");
  if (auto* const sha256 = std::get_if<SHA256_CTX>(&context_->state)) {
    SHA256_Update(sha256, bytes.data(), bytes.size());
  } else {
    SHA1_Update(&std::get<SHA_CTX>(context_->state), bytes.data(), bytes.size());
  }
}

std::string Hasher::FinishHex() {
  MLOS_CHECK(context_ != nullptr, "a hasher was finished twice");
  if (std::holds_alternative<SHA256_CTX>(context_->state)) return FinishDigest().Hex();
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> bytes{};
  SHA1_Final(bytes.data(), &std::get<SHA_CTX>(context_->state));
  context_.reset();
  return ToHex(bytes);
}

Digest Hasher::FinishDigest() {
  MLOS_CHECK(context_ != nullptr, "a hasher was finished twice");
  auto* const sha256 = std::get_if<SHA256_CTX>(&context_->state);
  MLOS_CHECK(sha256 != nullptr, "FinishDigest is for SHA-256");
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  SHA256_Final(bytes.data(), sha256);
  context_.reset();
  return Digest(bytes);
}

Digest DigestOf(std::string_view bytes) {
  Hasher hasher = Hasher::Sha256();
  hasher.Update(bytes);
  return hasher.FinishDigest();
}

Result<FileDigest> DigestOpenFile(int fd, std::string_view name, const HashProgress& progress) {
  MLOS_TRY(SizeOfRegular(fd, name));
  Hasher hasher = Hasher::Sha256();
  const std::uint64_t size_bytes = MLOS_TRY(HashAll(fd, name, hasher, progress));
  return FileDigest{hasher.FinishDigest(), size_bytes};
}

Result<FileDigest> DigestFile(const std::filesystem::path& path, const HashProgress& progress) {
  const UniqueFd fd = MLOS_TRY(OpenNoFollow(path));
  return DigestOpenFile(fd.get(), path.filename().string(), progress);
}

Result<FileDigest> DigestBeneath(const std::filesystem::path& directory, std::string_view relative,
                                 const HashProgress& progress) {
  const UniqueFd fd = MLOS_TRY(OpenBeneath(directory, relative));
  return DigestOpenFile(fd.get(), relative, progress);
}

Result<std::string> GitBlobSha1OfFile(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const UniqueFd fd = MLOS_TRY(OpenNoFollow(path));
  const std::uint64_t size_bytes = MLOS_TRY(SizeOfRegular(fd.get(), name));
  Hasher hasher = Hasher::GitBlobSha1(size_bytes);
  if (MLOS_TRY(HashAll(fd.get(), name, hasher, {})) != size_bytes) {
    return Status(Reason::kConflict, name + " changed while it was read");
  }
  return hasher.FinishHex();
}

}  // namespace mlos::package
