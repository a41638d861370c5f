// SPDX-License-Identifier: MIT
#include "settings/table.h"

#include <array>
#include <string>

#include "base/text.h"
#include "settings/json_object.h"

namespace mlos::settings {
namespace {

constexpr std::int64_t kItemsMax = 65'536;
constexpr std::int64_t kThreadsMax = 256;
constexpr std::int64_t kSecondUs = 1'000'000;

constexpr std::array kTable = {
    Setting{"max_batch_size", &ModelSettings::max_batch_size, Range{.max = kItemsMax},
            "most items in a run that requests share: 0 (the default) lets Core decide, 1 keeps "
            "requests apart, more asks for batching"},
    Setting{"preferred_batch_size", &ModelSettings::preferred_batch_size, Range{.max = kItemsMax},
            "number of items at which a shared run starts without waiting longer; 0 (the "
            "default) uses the number that callers asked for lately"},
    Setting{"max_queue_delay_us", &ModelSettings::max_queue_delay_us,
            Range{.min = -1, .max = kSecondUs, .unset = -1},
            "longest wait for more items; -1 (the default) uses Core's `--max-queue-delay-us`"},
    Setting{"intra_op_threads", &ModelSettings::intra_op_threads, Range{.max = kThreadsMax},
            "threads that a run of the model computes with, in a pool of its own, at most 256; 0 "
            "(the default) shares the plugin's pool. If the plugin has no such pools, the "
            "registration is refused"},
    Setting{"state_pairs", &ModelSettings::state_pairs, Range{},
            "inputs that carry the graph's state, each with the output that holds its next "
            "value: `{\"state\": \"stateN\"}`. If it is missing, Core pairs inputs and outputs "
            "by name (`state` and `stateN`, `h0` and `hn`, `c_in` and `c_out`, `x` and `new_x`), "
            "provided that dtype and shape agree and the match is unambiguous"},
    Setting{"options", &ModelSettings::options, Range{},
            "an object for the plugin, which defines its members: at most 64 KiB, nested at most "
            "16 levels deep. The ONNX Runtime plugin has no options and refuses each by its name"},
};

/// A member of ModelSettings without a row would be lost on its way: all members have the alignment
/// of a pointer, so without gaps their sizes add up.
constexpr std::size_t SizeOfMembers() {
  std::size_t size = 0;
  for (const Setting& setting : kTable) {
    size += std::visit(
        []<typename T>(T ModelSettings::* /*member*/) {
          static_assert(sizeof(T) % alignof(ModelSettings) == 0);
          return sizeof(T);
        },
        setting.member);
  }
  return size;
}
static_assert(SizeOfMembers() == sizeof(ModelSettings), "each member has a row, and only one");

Status Refused(Reason reason, std::string_view name, std::string message) {
  return Status(reason, std::move(message)).WithField(name);
}

struct Checker {
  Status operator()(const Setting& setting, const Integer& value) const {
    const auto& [min, max, unset] = setting.range;
    if (!value || (*value >= min && *value <= max)) return OkStatus();
    return Refused(Reason::kValueOutOfRange, setting.name,
                   "expected a whole number from " + std::to_string(min) + " to " +
                       std::to_string(max) + ", not " + std::to_string(*value));
  }

  Status operator()(const Setting& setting, const TextMap& value) const {
    constexpr std::size_t kPairsMax = 1024;
    const std::string name(setting.name);
    if (value.size() > kPairsMax) {
      return Refused(Reason::kInvalidField, setting.name,
                     name + " has at most " + std::to_string(kPairsMax) + " members");
    }
    for (const auto& [key, text] : value) {
      if (IsText(key) && IsText(text)) continue;
      return Refused(
          Reason::kInvalidField, setting.name,
          name + " has at most " + std::to_string(kTextBytesMax) + " bytes of UTF-8 text");
    }
    return OkStatus();
  }

  // Text that came as JSON is parsed for a second time here, on purpose: a manifest's is YAML, and
  // the text is the one form that all of them have. Its bound of 64 KiB keeps that cheap.
  Status operator()(const Setting& setting, const JsonObject& value) const {
    return value.text.empty() ? OkStatus() : CheckObject(setting.name, value.text);
  }

 private:
  static constexpr std::size_t kTextBytesMax = 256;
  static bool IsText(std::string_view text) {
    return text.size() <= kTextBytesMax && IsValidUtf8(text);
  }
};

struct Merger {
  const ModelSettings& other;

  void operator()(const Setting& setting, Integer& value) const {
    if (!value) value = other.*std::get<Integer ModelSettings::*>(setting.member);
    if (value == setting.range.unset) value.reset();
  }
  void operator()(const Setting& setting, TextMap& value) const {
    if (value.empty()) value = other.*std::get<TextMap ModelSettings::*>(setting.member);
  }
  void operator()(const Setting& setting, JsonObject& value) const {
    if (value.text.empty()) value = other.*std::get<JsonObject ModelSettings::*>(setting.member);
  }
};

}  // namespace

std::span<const Setting> Table() { return kTable; }

Status Check(const ModelSettings& settings) { return TryEach(settings, Checker()); }

ModelSettings Merge(const ModelSettings& first, const ModelSettings& second) {
  ModelSettings merged = first;
  ForEach(merged, Merger{second});
  return merged;
}

}  // namespace mlos::settings
