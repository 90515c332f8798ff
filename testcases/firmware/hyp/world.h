// SPDX-License-Identifier: GPL-2.0-only
// A small machine for the hypervisor's logic: 8 MiB of "physical" memory at 0x4000'0000 that is a
// buffer of the test, so that linear hyp addresses are pointers into it.
//
//   +0      4 MiB  RAM, the host's
//   +4 MiB  1 MiB  RAM, no-map
//   +5 MiB  1 MiB  RAM, the host's
//   +6 MiB  2 MiB  RAM, the hypervisor's pool
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "backing.h"
#include "hyp/hypervisor.h"
#include "lib/arch_fake.h"

namespace pkvmemu::hyp::test {

inline constexpr std::uint64_t mib = 0x10'0000;
inline constexpr Pa ram_begin{0x4000'0000};
inline constexpr Pa no_map_begin{ram_begin.value + (4 * mib)};
inline constexpr Pa pool_begin{ram_begin.value + (6 * mib)};
inline constexpr Pa ram_end{ram_begin.value + (8 * mib)};
inline constexpr Pa uart{0x0900'0000};

constexpr std::uint64_t frame(Pa pa) {
  return pfn_of(pa).value;
}
/// Page `n` of the host's memory.
constexpr Pa host_page(std::uint64_t n) {
  return ram_begin + (n * page_size);
}

class World {
 public:
  explicit World(pkvm::Generation generation = pkvm::Generation::android15_6_6,
                 PaRange cma = {Pa{0}, Pa{0}});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// The global hypervisor, filled in as __pkvm_init would.
  Hypervisor& hyp() const { return hypervisor(); }
  Ownership& ownership() const { return *hyp().ownership; }
  HypSpace& space() const { return *hyp().space; }
  HostStage2& host() const { return *hyp().host; }
  PagePool& pool() const { return *hyp().pool; }
  HypPage& page(Pa pa) { return vmemmap().page(pa); }
  Vmemmap vmemmap();
  Backing& backing() { return memory_; }

 private:
  Backing memory_;
  std::vector<HypPage> pages_;
  std::array<pkvm::HypMemoryRegion, 3> regions_;
};

}  // namespace pkvmemu::hyp::test
