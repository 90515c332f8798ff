// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/id_order.h"

#include <algorithm>
#include <compare>
#include <cstddef>

namespace pkvmemu::campaign {
namespace {

constexpr std::string_view digits = "0123456789";

/// The number or the single character that `text` begins with.
std::string_view head_of(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of(digits), text.size());
  return text.substr(0, std::max<std::size_t>(end, 1));
}

std::strong_ordering compare_numbers(std::string_view left, std::string_view right) {
  left.remove_prefix(std::min(left.find_first_not_of('0'), left.size()));
  right.remove_prefix(std::min(right.find_first_not_of('0'), right.size()));
  if (left.size() != right.size()) return left.size() <=> right.size();
  return left <=> right;
}

bool is_number(std::string_view head) {
  return digits.contains(head.front());
}

std::strong_ordering compare(std::string_view left, std::string_view right) {
  while (!left.empty() && !right.empty()) {
    const std::string_view left_head = head_of(left);
    const std::string_view right_head = head_of(right);
    const auto order = is_number(left_head) && is_number(right_head)
                           ? compare_numbers(left_head, right_head)
                           : left_head <=> right_head;
    if (order != std::strong_ordering::equal) return order;
    left.remove_prefix(left_head.size());
    right.remove_prefix(right_head.size());
  }
  return left.size() <=> right.size();
}

}  // namespace

bool IdOrder::operator()(std::string_view left, std::string_view right) const {
  const auto order = compare(left, right);
  // "07" and "7" are different names all the same.
  return order == std::strong_ordering::equal ? left < right : order == std::strong_ordering::less;
}

}  // namespace pkvmemu::campaign
