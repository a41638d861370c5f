// SPDX-License-Identifier: MIT
#include "onnx/config.h"

#include <rapidjson/reader.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/error.h"

namespace mlos::onnx {
namespace {

constexpr std::array<std::pair<std::string_view, GraphOptimizationLevel>, 4> kLevels = {{
    {"all", ORT_ENABLE_ALL},
    {"extended", ORT_ENABLE_EXTENDED},
    {"basic", ORT_ENABLE_BASIC},
    {"off", ORT_DISABLE_ALL},
}};

/// Takes an object of strings, and says what is wrong with anything else. A reader of events
/// instead of a document: nothing is kept, and nothing can be nested deep.
class ConfigHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ConfigHandler> {
 public:
  bool StartObject() { return std::exchange(in_object_, true) ? Default() : true; }
  bool EndObject(rapidjson::SizeType) { return true; }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (std::string_view(text, size) == "graph_optimization") return true;
    return Refuse("the configuration has an unknown key \"" + std::string(text, size) +
                  "\"; known: graph_optimization");
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (!in_object_) return Default();
    for (const auto& [name, level] : kLevels) {
      if (name != std::string_view(text, size)) continue;
      config_.graph_optimization = level;
      return true;
    }
    return Default();
  }
  // Whatever else.
  bool Default() {
    return Refuse(in_object_ ? R"(graph_optimization must be "all", "extended", "basic" or "off")"
                             : "the configuration is not a JSON object");
  }

  const Config& config() const { return config_; }
  const std::string& fault() const { return fault_; }

 private:
  bool Refuse(std::string why) {
    fault_ = std::move(why);
    return false;
  }

  Config config_;
  std::string fault_;
  bool in_object_ = false;
};

/// Takes an object without members, and says which one there is.
class OptionsHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, OptionsHandler> {
 public:
  bool StartObject() { return true; }
  bool EndObject(rapidjson::SizeType) { return true; }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    fault_ = "option \"" + std::string(text, size) +
             "\" is not known: the ONNX Runtime plugin has no options for a model";
    return false;
  }
  // Whatever else.
  bool Default() { return false; }

  const std::string& fault() const { return fault_; }

 private:
  std::string fault_ = "the options are not a JSON object";
};

}  // namespace

void CheckOptions(const char* json) {
  if (json == nullptr) return;
  OptionsHandler handler;
  rapidjson::Reader reader;
  rapidjson::StringStream stream(json);
  if (!reader.Parse(stream, handler)) throw Error(SMI_ERROR_INVALID_PARAM, handler.fault());
}

Config ParseConfig(const char* json) {
  ConfigHandler handler;
  if (json == nullptr) return handler.config();
  rapidjson::Reader reader;
  rapidjson::StringStream stream(json);
  if (!reader.Parse(stream, handler)) {
    throw Error(SMI_ERROR_INVALID_PARAM, handler.fault().empty()
                                             ? "the configuration is not a JSON object"
                                             : handler.fault());
  }
  return handler.config();
}

}  // namespace mlos::onnx
