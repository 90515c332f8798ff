// SPDX-License-Identifier: GPL-2.0-only
// fmt formatters of the address types: `{}` prints 0x... with no padding.
#pragma once

#include <fmt/format.h>

#include "support/address.h"

template <typename Tag>
struct fmt::formatter<pkvmemu::Address<Tag>> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(pkvmemu::Address<Tag> address, Context& context) const {
    return fmt::format_to(context.out(), "{:#x}", address.value);
  }
};
