// SPDX-License-Identifier: GPL-2.0-only
#include "statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace pkvmemu::bench {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void print_table(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    std::fputs(fmt::format("{:<44} {:>12} {:>16} {:>8} {:>10}\n", row.what, row.ours, row.other,
                           row.ratio, row.wanted)
                   .c_str(),
               stdout);
}

}  // namespace pkvmemu::bench
