// SPDX-License-Identifier: GPL-2.0-only
// The one character output that a module may install (pkvm-abi.md 1.6). Without it everything that
// is printed at EL2 is dropped.
#pragma once

#include <cstdint>

#include "hyp/module_range.h"
#include "hyp/status.h"
#include "support/address.h"

namespace pkvmemu::hyp {

class Serial {
 public:
  /// `callback`: void (*)(char) at EL2, `hash` what stands before it. -EBUSY when one is installed.
  Status install(HypVa callback, std::uint32_t hash);

  bool has_any_of(const ModuleRange& module) const { return module.contains(callback_); }
  void remove_all_of(const ModuleRange& module) {
    if (has_any_of(module)) callback_ = HypVa{0};
  }

  void put(char c) const;
  /// The text, then LF and CR.
  void put_line(const char* text) const;
  /// "0x", 16 lower-case hex digits, LF, CR.
  void put_hex(std::uint64_t value) const;

 private:
  HypVa callback_{0};
  std::uint32_t hash_ = 0;
};

}  // namespace pkvmemu::hyp
