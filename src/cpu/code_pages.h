// SPDX-License-Identifier: GPL-2.0-only
// Keeping translated code in step with memory, at the points where the architecture asks for it.
//
// The engine keeps translations by where the code lies in host memory, and notices a store to
// translated code only when it comes by the address that the code runs at, if at all. Guests write
// code by one address and run it at another (the linear alias of a module, the memory of a guest),
// and then say so by IC (Arm ARM B2.4.4, D7.5.9). A page that was fetched from and written since
// then gets another name when it is fetched from again, which most such pages never are: RAM is
// mapped several times over, and a translation under an old name is never found again.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "support/address.h"

namespace pkvmemu::cpu {

class CodePages {
 public:
  /// Names lie so far apart, and 48-bit physical addresses hold so many of them. When they run out,
  /// all translations have to be thrown away, for which the engine clears its whole buffer.
  static constexpr std::uint64_t stride = std::uint64_t{1} << 40;
  static constexpr unsigned most_names = 255;

  void add_ram(Pa base, std::uint64_t size);

  /// The engine may fetch from `pa`, which is RAM: the name under which it shall. Nothing when one
  /// more is needed, which `wants_name` says, too, until there is one or all translations were
  /// dropped, so that the first name is as good as new.
  [[nodiscard]] std::optional<Pa> fetched(Pa pa);
  /// The engine may write to `pa`, which is RAM, until its TLB is flushed.
  void written(Pa pa);

  /// IC: whether the TLB has to be flushed for it to take effect.
  [[nodiscard]] bool invalidate();

  /// How many names there are.
  [[nodiscard]] unsigned names() const { return names_; }
  [[nodiscard]] bool wants_name() const { return wants_name_; }
  void name_added();
  void all_dropped();

 private:
  struct Page {
    bool fetched = false;  ///< under this name
    bool written = false;  ///< since the last IC
    bool stale = false;    ///< what was translated under this name is not what is there
    std::uint8_t name = 0;
  };
  /// Few pages are ever asked about: those of 2 MiB come into being together.
  using Chunk = std::array<Page, 512>;
  struct Region {
    Pa base;
    std::uint64_t size = 0;
    std::vector<std::unique_ptr<Chunk>> chunks;
  };

  Page& page(Pa pa);

  std::vector<Region> regions_;
  std::vector<Pa> written_;
  unsigned names_ = 1;
  bool wants_name_ = false;
};

}  // namespace pkvmemu::cpu
