// SPDX-License-Identifier: GPL-2.0-only
// Numbers and switches as the kernel reads them from text: the kstrto*() family and kstrtobool().
// Base 0 takes 0x for hexadecimal and a leading 0 for octal; one newline at the end is allowed.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "pkvm/errno.h"

namespace pkvmemu::host {

struct IntegerType {
  unsigned bits;   ///< 8, 16, 32 or 64
  bool is_signed;  ///< takes a minus
};

/// The value, sign-extended to 64 bits. EINVAL: not a number; ERANGE: it does not fit the type.
std::expected<std::uint64_t, pkvm::Errno> parse_integer(std::string_view text, IntegerType type,
                                                        unsigned base = 0);

/// "1", "y", "t", "on" and their opposites, in either case; only as many characters as decide it.
std::expected<bool, pkvm::Errno> parse_switch(std::string_view text);

}  // namespace pkvmemu::host
