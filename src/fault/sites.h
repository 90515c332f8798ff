// SPDX-License-Identifier: GPL-2.0-only
// The fault sites of a firmware image: its own tables (pkvm/fault.h), read and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pkvm/fault.h"
#include "support/result.h"

namespace pkvmemu::fault {

/// One `mov xN, xzr`. A site has several where the compiler made copies.
struct SiteInstruction {
  std::uint64_t offset = 0;  ///< of the instruction behind it, from the start of its own image
  unsigned reg = 0;          ///< N
};

struct Site {
  std::string name;  ///< "hyp.pool.take"
  std::string meaning;
  unsigned el = 0;  ///< exception level that the site's image runs at: 1 or 2
  pkvm::fault::Answer answer = pkvm::fault::Answer::errno_value;
  std::int64_t usual = 0;  ///< what it answers unless told otherwise
  std::vector<SiteInstruction> places{};
};

/// Of all levels in `image` (an arm64 Image that carries its EL2 image), by name. None is no error:
/// it is somebody else's firmware. A damaged table is one.
Result<std::vector<Site>> find_sites(std::span<const std::byte> image);

/// nullptr when there is none of that name.
const Site* find_site(std::span<const Site> sites, std::string_view name);

}  // namespace pkvmemu::fault
