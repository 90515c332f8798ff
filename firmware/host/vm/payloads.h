// SPDX-License-Identifier: GPL-2.0-only
// Guest programs that the kernel carries (firmware/guest/payloads).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace pkvmemu::host {

std::optional<std::span<const std::byte>> builtin_payload(std::string_view name);

}  // namespace pkvmemu::host
