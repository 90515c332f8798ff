// SPDX-License-Identifier: GPL-2.0-only
// Who may do what with a page of RAM at the end of a run: both page tables lie in the machine's
// memory, and are walked by its own walkers. The module `memory` tells where they are, by the first
// calls of the run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "machine/machine.h"
#include "mmu/translate.h"
#include "rc.h"
#include "support/address.h"

namespace pkvmemu::test {

class PageScan {
 public:
  /// The calls that a run has to begin with.
  static std::vector<tool::RcLine> first_calls();

  /// Throws when the run did not begin with them. The machine has to outlive this.
  explicit PageScan(machine::Machine& machine);

  [[nodiscard]] bool host_may(Pa pa, mmu::AccessKind kind) const;
  /// By the page's alias in the linear map.
  [[nodiscard]] bool hyp_may(Pa pa, mmu::AccessKind kind) const;
  /// All frames of RAM that both may read.
  [[nodiscard]] std::vector<std::uint64_t> frames_of_both() const;

  /// Nothing stands in its way but that it has not been touched: the next access maps it (7.7).
  [[nodiscard]] bool host_would_get(Pa pa) const;

  /// Frames of RAM that are not either's alone.
  struct Unclear {
    std::vector<std::uint64_t> both;
    std::vector<std::uint64_t> neither;
    bool operator==(const Unclear&) const = default;
  };
  [[nodiscard]] Unclear unclear_frames(std::uint64_t ram_size) const;

 private:
  [[nodiscard]] mmu::WalkContext context() const;

  std::function<std::optional<std::uint64_t>(Pa)> reader_;
  mmu::Stage2 stage2_;
  mmu::El2Regime stage1_;
  std::uint64_t linear_offset_ = 0;
};

}  // namespace pkvmemu::test
