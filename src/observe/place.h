// SPDX-License-Identifier: GPL-2.0-only
// A place in the guest, as a person calls it. Who made the run knows its modules' files, and where
// they lie.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace pkvmemu::observe {

struct Place {
  std::string text;     ///< "hello_hvc+0x8 [hello]"; empty where nothing is known
  std::string image{};  ///< the module, or "hyp" and "host" for the firmware
  std::string section{};
};

/// May be empty.
using PlaceOf = std::function<Place(std::uint64_t address, unsigned el)>;

}  // namespace pkvmemu::observe
