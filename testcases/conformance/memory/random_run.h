// SPDX-License-Identifier: GPL-2.0-only
// A run whose calls and touches are a random sequence: the model says what each has to answer, and
// afterwards both page tables lie in the machine's memory for a scan.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "conformance/memory/page_scan.h"
#include "firmware/hyp/memory_model.h"
#include "machine/machine.h"
#include "modules/memory/operations.h"
#include "pkvm/generation.h"
#include "run_options.h"

namespace pkvmemu::test {

inline constexpr std::size_t random_pages = 64;
/// Across the end of a 2 MiB block.
inline constexpr std::uint64_t random_first_frame = 0x501e0;

class RandomRun {
 public:
  RandomRun(const pkvm::GenerationInfo& generation, std::uint64_t seed);

  /// Adds one step and what it has to answer.
  void add_step();
  /// Has the host read every page that it may, so that nothing is left unmapped for want of use.
  void touch_all();
  /// Runs all of it. The first difference in words; empty when there is none.
  std::string run();
  /// Scans both tables of the run. Likewise.
  std::string scan() const;

  [[nodiscard]] std::size_t steps() const { return texts_.size(); }

 private:
  void call(memory_operation operation, std::vector<std::uint64_t> arguments,
            std::int64_t expected);
  void touch(std::size_t page, char access);
  void add_range_step(std::size_t first, std::size_t count);
  void add_pin_step(std::size_t first, std::size_t count);
  [[nodiscard]] std::string scan_page(std::size_t page) const;
  [[nodiscard]] std::string scan_rest() const;

  pkvm::GenerationInfo generation_;
  std::mt19937_64 random_;
  MemoryModel<random_pages> model_;
  tool::RunOptions options_;
  std::vector<std::string> texts_;
  std::vector<std::int64_t> expected_;
  std::unique_ptr<machine::Machine> machine_;
  std::unique_ptr<PageScan> scan_;
};

}  // namespace pkvmemu::test
