// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/near_names.h"

#include <algorithm>

namespace pkvmemu::kmod {
namespace {

constexpr std::size_t longest_name = 63;
/// A part this long is not there by chance.
constexpr std::size_t telling_part = 4;

bool has_part(std::string_view whole, std::string_view part) {
  return part.size() >= telling_part && whole.find(part) != std::string_view::npos;
}

/// A third of the letters may be wrong, or one is a part of the other.
bool is_near(std::string_view a, std::string_view b, std::size_t distance) {
  constexpr std::size_t tolerance = 3;
  return distance * tolerance <= std::max(a.size(), b.size()) || has_part(a, b) || has_part(b, a);
}

}  // namespace

std::size_t distance_between(std::string_view a, std::string_view b) {
  if (a.size() > longest_name || b.size() > longest_name) return std::max(a.size(), b.size());
  // For each beginning of b: how far it is from the letters of a so far.
  std::array<std::size_t, longest_name + 1> row{};
  for (std::size_t i = 0; i <= b.size(); ++i)
    row[i] = i;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min(changed, std::min(row[j], row[j + 1]) + 1);
    }
  }
  return row[b.size()];
}

void NearNames::offer(std::string_view name) {
  const std::size_t distance = distance_between(wanted_, name);
  if (!is_near(wanted_, name, distance)) return;
  std::size_t place = count_;
  while (place != 0 && distances_[place - 1] > distance)
    --place;
  if (place == most) return;
  count_ = std::min(count_ + 1, most);
  for (std::size_t i = count_ - 1; i > place; --i) {
    names_[i] = names_[i - 1];
    distances_[i] = distances_[i - 1];
  }
  names_[place] = name;
  distances_[place] = distance;
}

}  // namespace pkvmemu::kmod
