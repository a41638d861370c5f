// SPDX-License-Identifier: MIT
#include "api/grpc/messages/descriptors.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "descriptor_names.pb.h"

// Made from the descriptor set by cmake/EmbedFile.cmake.
extern const unsigned char kDescriptorSetBytes[];
extern const unsigned long kDescriptorSetBytesSize;

namespace mlos::api::grpc::messages {
namespace {

void AddMessage(const names::Message& message, const std::string& scope,
                std::vector<std::string>& symbols) {
  const std::string name = scope + "." + message.name();
  symbols.push_back(name);
  for (const names::Enum& nested : message.enum_type()) {
    symbols.push_back(name + "." + nested.name());
  }
  for (const names::Message& nested : message.nested_type()) AddMessage(nested, name, symbols);
}

std::vector<std::string> SymbolsOf(const names::File& file) {
  std::vector<std::string> symbols;
  for (const names::Message& message : file.message_type()) {
    AddMessage(message, file.package(), symbols);
  }
  for (const names::Enum& type : file.enum_type()) {
    symbols.push_back(file.package() + "." + type.name());
  }
  for (const names::Service& service : file.service()) {
    symbols.push_back(file.package() + "." + service.name());
    for (const names::Method& method : service.method()) {
      symbols.push_back(file.package() + "." + service.name() + "." + method.name());
    }
  }
  return symbols;
}

}  // namespace

Descriptors::Descriptors() {
  names::FileSet set;
  bool parsed = set.ParseFromArray(kDescriptorSetBytes, static_cast<int>(kDescriptorSetBytesSize));
  for (std::string& bytes : *set.mutable_file()) {
    names::File file;
    parsed = parsed && file.ParseFromString(bytes);
    by_name_.emplace(file.name(), files_.size());
    for (std::string& symbol : SymbolsOf(file))
      by_symbol_.emplace(std::move(symbol), files_.size());
    for (const names::Service& service : file.service()) {
      services_.push_back(file.package() + "." + service.name());
    }
    files_.push_back(std::move(bytes));
  }
  MLOS_CHECK(parsed, "the embedded descriptor set is damaged");
  std::sort(services_.begin(), services_.end());
}

const Descriptors& Descriptors::Get() {
  static const Descriptors descriptors;
  return descriptors;
}

const std::string* Descriptors::FindFile(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &files_[found->second];
}

const std::string* Descriptors::FindSymbol(std::string_view symbol) const {
  const auto found = by_symbol_.find(symbol);
  return found == by_symbol_.end() ? nullptr : &files_[found->second];
}

}  // namespace mlos::api::grpc::messages
