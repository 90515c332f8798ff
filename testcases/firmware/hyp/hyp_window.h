// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's heap has addresses of its own (firmware/hyp/hyp_heap.h), which are nobody's in a
// test. An access there finds by the hypervisor's own table which page it is of, and that page then
// appears there; what its table does not map is a fault like any other. Pages that go from the
// window stay until the end, so a test does not reclaim pages of the heap.
#pragma once

#include <csignal>

#include "backing.h"

namespace pkvmemu::hyp::test {

/// One at a time.
class HypWindow {
 public:
  explicit HypWindow(const Backing& memory);
  ~HypWindow();
  HypWindow(const HypWindow&) = delete;
  HypWindow& operator=(const HypWindow&) = delete;

 private:
  struct sigaction before_{};
};

}  // namespace pkvmemu::hyp::test
