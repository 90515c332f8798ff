// SPDX-License-Identifier: GPL-2.0-only
// Medians and the table.
#pragma once

#include <string>
#include <vector>

namespace pkvmemu::bench {

double median(std::vector<double> values);

/// One line of the result. `better` of the two is the smaller or the larger, as `ratio` was made;
/// the ratio is always "how many times better than the other".
struct Row {
  std::string what;
  std::string ours;
  std::string other;
  std::string ratio;
  std::string wanted;
};

void print_table(const std::vector<Row>& rows);

}  // namespace pkvmemu::bench
