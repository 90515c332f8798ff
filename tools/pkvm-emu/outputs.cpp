// SPDX-License-Identifier: GPL-2.0-only
#include "outputs.h"

#include <system_error>

#include "support/file.h"

namespace pkvmemu::tool {

namespace fs = std::filesystem;

Outcome<void> check_no_input(const fs::path& output, std::span<const fs::path> inputs) {
  for (const fs::path& input : inputs) {
    std::error_code status;
    if (fs::equivalent(output, input, status))
      return usage_error("{}: is read first and would be overwritten: name another output",
                         input.string());
  }
  return {};
}

Outcome<void> check_output(const fs::path& output, std::span<const fs::path> inputs) {
  if (auto good = check_no_input(output, inputs); !good) return good;
  if (auto good = check_writable(output); !good) return as_file_error(good.error());
  return {};
}

}  // namespace pkvmemu::tool
