// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace mlos::package::onnx {

/// Whether ONNX itself defines the operators of the domain.
constexpr bool IsStandardDomain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

/// Of a table of operators, whose rows have a member `name`: what FindOperator needs.
template <typename Row, std::size_t kCount>
constexpr bool IsSorted(const std::array<Row, kCount>& table) {
  return std::ranges::is_sorted(table, {}, &Row::name);
}

/// The row of an operator; null where it has none.
template <typename Row, std::size_t kCount>
const Row* FindOperator(const std::array<Row, kCount>& table, std::string_view name) {
  const auto found = std::ranges::lower_bound(table, name, {}, &Row::name);
  return found != table.end() && found->name == name ? &*found : nullptr;
}

}  // namespace mlos::package::onnx
