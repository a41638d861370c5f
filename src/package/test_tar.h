// SPDX-License-Identifier: MIT
#pragma once

// Tars made by hand, so that what no packer writes can be written too.

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace mlos::package::test {

inline constexpr std::size_t kTarBlockBytes = 512;

inline std::string Padded(std::string_view data) {
  std::string padded(data);
  padded.resize((data.size() + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes);
  return padded;
}

/// A ustar header; `type` as in <tar.h> ('0' file, '1' hard link, '2' symbolic link, '5' folder).
inline std::string TarHeader(std::string_view name, char type, std::uint64_t size,
                             std::string_view link = {}) {
  std::string header(kTarBlockBytes, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  char octal[24];
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  std::snprintf(octal, sizeof octal, "%011llo", static_cast<unsigned long long>(size));
  put(124, octal);
  put(136, "00000000000");
  header[156] = type;
  put(157, link.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  put(148, std::string_view(octal, 7));
  return header;
}

inline std::string TarFile(std::string_view name, std::string_view data) {
  return TarHeader(name, '0', data.size()) + Padded(data);
}

/// "<length> <key>=<value>\n", where the length counts itself.
inline std::string PaxRecord(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

/// Records that override the header of the entry that follows.
inline std::string PaxHeader(std::string_view records) {
  return TarHeader("PaxHeaders/x", 'x', records.size()) + Padded(records);
}

inline std::string TarEnd() { return std::string(2 * kTarBlockBytes, '\0'); }

/// `bytes` through one of libarchive's filters ("gzip", "zstd").
inline std::string Compress(std::string_view bytes, const char* filter) {
  archive* a = archive_write_new();
  archive_write_set_format_raw(a);
  archive_write_add_filter_by_name(a, filter);
  archive_write_set_bytes_in_last_block(a, 1);
  std::string out;
  archive_write_open(
      a, &out, nullptr,
      [](archive*, void* target, const void* data, std::size_t size) -> la_ssize_t {
        static_cast<std::string*>(target)->append(static_cast<const char*>(data), size);
        return static_cast<la_ssize_t>(size);
      },
      nullptr);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(a, entry);
  archive_write_data(a, bytes.data(), bytes.size());
  archive_entry_free(entry);
  archive_write_close(a);
  archive_write_free(a);
  return out;
}

}  // namespace mlos::package::test
