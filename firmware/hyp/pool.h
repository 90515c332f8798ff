// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's own memory, [phys, phys + size) of __pkvm_init.
//
// EarlyPages hands it out front to back while there is no vmemmap yet (pkvm-abi.md 7.4 order: the
// vmemmap, the stage-1 tables, the host's root table); PagePool takes over what is left and is
// where table pages come from and return to. A free page holds the link to the next in its first
// word, as memcaches do (7.8), and its hyp_page refcount is 0; a page in use has 1, and one more
// for each hold.
#pragma once

#include <cstdint>

#include "hyp/page_source.h"
#include "hyp/vmemmap.h"
#include "lib/spinlock.h"

namespace pkvmemu::hyp {

class EarlyPages final : public PageSource {
 public:
  constexpr EarlyPages(LinearMap map, Pa begin, Pa end)
      : PageSource(map), next_(begin), end_(end) {}

  Expected<Pa> take_page() override { return take(1, page_size); }
  /// `count` zeroed pages in a row.
  Expected<Pa> take(std::uint64_t count, std::uint64_t alignment);
  /// Only a failed set-up gives pages back, and then the pool is the host's again.
  void give_back(Pa /*page*/) override {}
  void hold(Pa /*page*/) override {}
  void let_go(Pa /*page*/) override {}
  bool is_held(Pa /*page*/) const override { return false; }

  Pa next() const { return next_; }

 private:
  Pa next_;
  Pa end_;
};

class PagePool final : public PageSource {
 public:
  /// All of the hypervisor's memory, of which [free, end) is free; the front went to early pages,
  /// which may return here.
  struct Extent {
    Pa begin;
    Pa free;
    Pa end;
  };
  PagePool(LinearMap map, Vmemmap vmemmap, Extent extent);

  Expected<Pa> take_page() override;
  /// The page is the pool's own and in use.
  void give_back(Pa page) override;
  void hold(Pa page) override;
  void let_go(Pa page) override;
  bool is_held(Pa page) const override { return vmemmap_.page(page).refcount > 1; }

  std::uint64_t free_pages() const { return free_; }

 private:
  void push(Pa page);

  Vmemmap vmemmap_;
  Pa begin_;
  Pa end_;
  /// [fresh_, end_) was never taken: not even touched, which would cost more than all of boot.
  Pa fresh_;
  /// List of returned pages, linked through their first words; 0 ends it.
  Pa head_{0};
  std::uint64_t free_ = 0;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
