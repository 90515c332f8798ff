// SPDX-License-Identifier: GPL-2.0-only
// Pages of the host said independently of the code under test: who has each, and what each
// transition has to answer and to change (pkvm-abi.md 1.6, 1.7, 7.6). One byte's worth of state a
// page, no tables, no descriptors. Used natively and, with the same rules, against a whole machine.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "pkvm/generation.h"

namespace pkvmemu::test {

enum class Holder : std::uint8_t {
  host,
  shared,  ///< the host's, lent to the hypervisor
  hyp,
  restricted,  ///< the hypervisor's with a read-only alias: for ever
  marked,      ///< the host's with a module's permission
  taken,       ///< a module took it from the host altogether
};

struct ModelPage {
  Holder holder = Holder::host;
  std::uint8_t prot = rwx;  ///< what the host may do
  std::uint16_t pins = 0;
  bool lazy = false;

  static constexpr std::uint8_t x = 1, w = 2, r = 4, rwx = 7;
};

template <std::size_t Count>
class MemoryModel {
 public:
  explicit MemoryModel(pkvm::Generation generation)
      : pinned_(std::array{-16, -22, -16}.at(static_cast<std::size_t>(generation))) {}

  std::span<ModelPage> pages(std::size_t first, std::size_t count) {
    return std::span(pages_).subspan(first, count);
  }
  const ModelPage& operator[](std::size_t n) const { return pages_[n]; }

  int share(std::size_t n) { return move(n, 1, Holder::host, Holder::shared); }
  int unshare(std::size_t n) {
    if (pages_[n].holder == Holder::shared && pages_[n].pins != 0) return pinned_;
    return move(n, 1, Holder::shared, Holder::host);
  }
  int donate(std::size_t first, std::size_t count) {
    return move(first, count, Holder::host, Holder::hyp);
  }
  int donate_read_only(std::size_t first, std::size_t count) {
    return move(first, count, Holder::host, Holder::restricted);
  }
  int give_back(std::size_t first, std::size_t count) {
    return move(first, count, Holder::hyp, Holder::host);
  }
  int pin(std::size_t first, std::size_t count) {
    if (!all(first, count, Holder::shared)) return refused;
    for (ModelPage& page : pages(first, count))
      ++page.pins;
    return 0;
  }
  /// Nothing checks it, so only what is pinned may be unpinned.
  bool can_unpin(std::size_t first, std::size_t count) {
    return std::ranges::all_of(pages(first, count),
                               [](const ModelPage& page) { return page.pins != 0; });
  }
  void unpin(std::size_t first, std::size_t count) {
    for (ModelPage& page : pages(first, count))
      --page.pins;
  }
  int mod_prot(std::size_t first, std::size_t count, std::uint8_t prot) {
    const auto marked = [](const ModelPage& page) {
      return page.holder == Holder::marked || page.holder == Holder::taken;
    };
    const bool good = marked(pages_[first]) ? std::ranges::all_of(pages(first, count), marked)
                                            : all(first, count, Holder::host);
    if (!good) return refused;
    Holder holder = prot == 0 ? Holder::taken : Holder::marked;
    if (prot == ModelPage::rwx) holder = Holder::host;
    for (ModelPage& page : pages(first, count)) {
      page.holder = holder;
      page.prot = prot;
    }
    return 0;
  }
  int set_lazy(std::size_t first, std::size_t count, bool lazy) {
    if (!all(first, count, Holder::host)) return refused;
    for (ModelPage& page : pages(first, count))
      page.lazy = lazy;
    return 0;
  }
  bool all_lazy(std::size_t first, std::size_t count, bool lazy) {
    return std::ranges::all_of(pages(first, count),
                               [lazy](const ModelPage& page) { return page.lazy == lazy; });
  }

  bool host_may(std::size_t n, std::uint8_t access) const {
    const ModelPage& page = pages_[n];
    if (page.holder == Holder::host || page.holder == Holder::shared) return true;
    return page.holder == Holder::marked && (page.prot & access) == access;
  }

 private:
  static constexpr int refused = -1;

  bool all(std::size_t first, std::size_t count, Holder holder) {
    return std::ranges::all_of(pages(first, count),
                               [holder](const ModelPage& page) { return page.holder == holder; });
  }
  int move(std::size_t first, std::size_t count, Holder from, Holder to) {
    if (!all(first, count, from)) return refused;
    for (ModelPage& page : pages(first, count))
      page.holder = to;
    return 0;
  }

  int pinned_;
  std::array<ModelPage, Count> pages_{};
};

}  // namespace pkvmemu::test
