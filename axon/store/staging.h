// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>

#include "axon/store/layout.h"
#include "axon/store/objects.h"
#include "base/model_id.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace axon::store {

/// A folder in which a model is assembled before it becomes visible. It is locked while its process
/// lives; the next process removes the folders of dead ones. Thread-compatible.
class Staging {
 public:
  static mlos::Result<Staging> Create(const Layout& layout);
  Staging(Staging&&) noexcept = default;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  /// The model so far.
  std::filesystem::path model() const { return folder_ / "model"; }

  /// Adds a file that the store already has (see Objects::LinkTo).
  mlos::Status AddObject(const mlos::package::Digest& digest, std::string_view path,
                         const mlos::package::HashProgress& progress);
  /// Adds a file of the store's file system (see Objects::Adopt).
  mlos::Status AddFile(const std::filesystem::path& file, const mlos::package::Digest& digest,
                       std::string_view path, const mlos::package::HashProgress& progress);
  /// Adds a small file of this model alone.
  mlos::Status Write(std::string_view path, std::string_view bytes);
  /// Makes a file that lies in model() already a link to the object of its content (see
  /// Objects::Adopt).
  mlos::Status Intern(std::string_view path, const mlos::package::Digest& digest,
                      const mlos::package::HashProgress& progress);

  /// Makes the model visible as `id`, in one step and durably; one that was there before is
  /// replaced. CONFLICT if its folder would lie inside another model, or another inside it.
  mlos::Status Publish(const mlos::ModelId& id);

  /// The other way: makes `directory`, a model, invisible in one step.
  mlos::Status TakeOut(const std::filesystem::path& directory);

 private:
  Staging(Layout layout, std::filesystem::path folder, mlos::UniqueFd lock)
      : layout_(std::move(layout)),
        objects_(layout_),
        folder_(std::move(folder)),
        lock_(std::move(lock)) {}

  Layout layout_;
  Objects objects_;
  std::filesystem::path folder_;
  mlos::UniqueFd lock_;
};

/// Removes staging folders whose process is dead. The caller holds the store's lock.
void SweepStaging(const Layout& layout);

/// Removes empty folders from `directory` upwards, up to but without `stop`.
void PruneEmpty(std::filesystem::path directory, const std::filesystem::path& stop);

}  // namespace axon::store
