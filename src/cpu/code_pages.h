// SPDX-License-Identifier: GPL-2.0-only
// Keeping translated code in step with memory, at the points where the architecture asks for it.
//
// The engine keeps translations by where the code lies in host memory, and notices a store to
// translated code only when it comes by the address that the code runs at, if at all. Guests write
// code by one address and run it at another (the linear alias of a module, the memory of a guest),
// and then say so by IC (Arm ARM B2.4.4, D7.5.9). A page that was fetched from and written since
// then gets another name when it is fetched from again, which most such pages never are: RAM is
// mapped several times over, and a translation under an old name is never found again.
//
// Once there are snapshots, the same code comes back again and again. From then on what a page held
// under each of its names is remembered, and a page that holds the same again gets that name again,
// with all that was translated under it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "support/address.h"

namespace pkvmemu::cpu {

class CodePages {
 public:
  /// Names lie so far apart, and 48-bit physical addresses hold so many of them. When they run out,
  /// the translations of the page that wants one have to be thrown away.
  static constexpr std::uint64_t stride = std::uint64_t{1} << 40;
  static constexpr unsigned most_names = 255;

  using PageBytes = std::span<const std::byte, page_size>;

  void add_ram(Pa base, std::uint64_t size);

  /// The engine may fetch from `pa`, which is RAM: the name under which it shall, given what its
  /// page holds. Nothing when one more is needed, which `wants_name` says, too, until there is one
  /// or the translations of that page were dropped, so that the first name is as good as new.
  [[nodiscard]] std::optional<Pa> fetched(Pa pa, PageBytes bytes);
  /// The engine may write to `pa`, which is RAM, until its TLB is flushed.
  void written(Pa pa);
  /// The host put other bytes into the page at `pa`; the TLB is flushed before the guest runs.
  void replaced(Pa pa) { page(pa).fetched = false; }

  /// IC: whether the TLB has to be flushed for it to take effect.
  [[nodiscard]] bool invalidate();
  /// The pages that were written since the last IC were all replaced.
  void forget_writes();
  /// From now on pages may hold again what they held before.
  void remember() { remembers_ = true; }

  /// How many names there are.
  [[nodiscard]] unsigned names() const { return names_; }
  [[nodiscard]] bool wants_name() const { return wanting_.has_value(); }
  [[nodiscard]] std::optional<Pa> wanting() const { return wanting_; }
  void name_added();
  void dropped();

 private:
  struct Page {
    bool fetched = false;  ///< under this name, and not changed since
    bool written = false;  ///< since the last IC
    std::uint8_t name = 0;
    std::uint8_t used = 0;  ///< names that it has had
  };
  /// Few pages are ever asked about: those of 2 MiB come into being together.
  using Chunk = std::array<Page, 512>;
  struct Region {
    Pa base;
    std::uint64_t size = 0;
    std::vector<std::unique_ptr<Chunk>> chunks;
  };
  /// What a page held from its first fetch under a name until now.
  struct Version {
    std::uint8_t name = 0;
    std::unique_ptr<std::array<std::byte, page_size>> bytes;
  };

  Page& page(Pa pa);
  [[nodiscard]] std::optional<std::uint8_t> name_of(Pa pa, PageBytes bytes) const;
  void keep(Pa pa, std::uint8_t name, PageBytes bytes);
  void forget(Pa pa, std::uint8_t name);

  std::vector<Region> regions_;
  std::vector<Pa> written_;
  std::optional<Pa> wanting_;
  unsigned names_ = 1;
  bool remembers_ = false;
  std::unordered_map<std::uint64_t, std::vector<Version>> versions_;  ///< by page number
};

}  // namespace pkvmemu::cpu
