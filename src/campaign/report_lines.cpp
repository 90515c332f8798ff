// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/report_lines.h"

namespace pkvmemu::campaign {

std::string to_lines(const SweepResult& result) {
  std::string text = to_line(result.sweep);
  for (const CaseRecord& record : result.cases)
    text += to_line(record);
  return text;
}

}  // namespace pkvmemu::campaign
