// SPDX-License-Identifier: GPL-2.0-only
// The order of cases for people: numbers inside their names count by value, nth=2 before nth=10.
#pragma once

#include <string_view>

namespace pkvmemu::campaign {

struct IdOrder {
  using is_transparent = void;
  bool operator()(std::string_view left, std::string_view right) const;
};

}  // namespace pkvmemu::campaign
