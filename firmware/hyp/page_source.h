// SPDX-License-Identifier: GPL-2.0-only
// Where page tables get their pages from: the early cursor during __pkvm_init, a pool afterwards.
#pragma once

#include "hyp/linear_map.h"
#include "hyp/status.h"

namespace pkvmemu::hyp {

class PageSource {
 public:
  constexpr explicit PageSource(LinearMap map) : map_(map) {}
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  const LinearMap& map() const { return map_; }

  /// A zeroed page, or -ENOMEM.
  virtual Expected<Pa> take_page() = 0;
  virtual void give_back(Pa page) = 0;

  /// A page that is held stays in use though nobody needs it (lazy PTEs, pkvm-abi.md 1.6). Holds
  /// count; letting go of what is not held does nothing.
  virtual void hold(Pa page) = 0;
  virtual void let_go(Pa page) = 0;
  virtual bool is_held(Pa page) const = 0;

 protected:
  ~PageSource() = default;

 private:
  LinearMap map_;
};

}  // namespace pkvmemu::hyp
