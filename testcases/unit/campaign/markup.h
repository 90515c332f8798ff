// SPDX-License-Identifier: GPL-2.0-only
// Whether XML or HTML is well formed: elements close in order, nothing stands unescaped.
#pragma once

#include <string>
#include <string_view>

namespace pkvmemu::test {

/// Empty when it is; else what is wrong and where.
std::string markup_problem(std::string_view text);

}  // namespace pkvmemu::test
