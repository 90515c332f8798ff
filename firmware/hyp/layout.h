// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's address space, as a function of its width, the idmap and the number of CPUs
// (pkvm-abi.md 7.1). The linear map and the idmap stand outside; this is the private half:
//
//   private_base  stack of each CPU (2 pages, the lower one a guard)
//                 fixmap slot of each CPU (1 page)
//                 block slot (2 MiB, aligned)   from 6.6 on
//                 heap window (128 MiB)         from 6.6 on
//   first_free    modules and private mappings, by a cursor that only grows
//   vmemmap       one HypPage for each frame; end of the private range
//   events        our own: the event ring and its doorbell, out of the cursor's way so that module
//                 addresses do not depend on it
#pragma once

#include <array>
#include <cstdint>

#include "pkvm/generation.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

inline constexpr unsigned max_cpus = 8;

/// How the generations hand out private addresses (pkvm-abi.md 1.6, 7.1).
struct AddressRules {
  bool has_heap;           ///< the block slot and the heap window come before modules
  bool aligns_to_order;    ///< an allocation starts at a multiple of its size as a power of two
  std::uint64_t at_most;   ///< bytes from private_base on; the vmemmap is a limit in any case
  bool converts_any_va;    ///< kern_hyp_va takes what is no kernel address, too
  bool unmap_resets_type;  ///< an unmapped fixmap slot forgets its memory type
};

constexpr const AddressRules& address_rules(pkvm::Generation id) {
  constexpr static std::array<AddressRules, pkvm::generation_count> rows = {{
      {.has_heap = false,
       .aligns_to_order = true,
       .at_most = bit(30),
       .converts_any_va = true,
       .unmap_resets_type = true},
      {.has_heap = true,
       .aligns_to_order = false,
       .at_most = ~0ULL,
       .converts_any_va = false,
       .unmap_resets_type = false},
      {.has_heap = true,
       .aligns_to_order = false,
       .at_most = ~0ULL,
       .converts_any_va = false,
       .unmap_resets_type = false},
  }};
  return rows[static_cast<std::size_t>(id)];
}

struct Layout {
  HypVa private_base;
  HypVa fixmap;
  HypVa block_slot;  ///< 0 without one
  HypVa heap;        ///< 0 without one
  HypVa first_free;
  HypVa vmemmap;
  HypVa events;

  static constexpr std::uint64_t stack_stride = 2 * page_size;
  static constexpr std::uint64_t block_size = 0x20'0000;
  static constexpr std::uint64_t heap_size = 0x800'0000;

  static constexpr Layout make(unsigned va_bits, Pa idmap, unsigned cpus,
                               const AddressRules& rules) {
    const std::uint64_t half = bit(va_bits - 2);
    Layout layout;
    layout.private_base = HypVa{(idmap.value & half) ^ half};
    layout.vmemmap = HypVa{layout.private_base.value | bit(va_bits - 3)};
    layout.events = HypVa{layout.vmemmap.value | bit(va_bits - 4)};
    layout.fixmap = layout.private_base + (cpus * stack_stride);
    const HypVa fixmap_end = layout.fixmap + (cpus * page_size);
    layout.first_free = fixmap_end;
    if (!rules.has_heap) return layout;
    layout.block_slot = HypVa{align_up(fixmap_end.value, block_size)};
    layout.heap = layout.block_slot + block_size;
    layout.first_free = layout.heap + heap_size;
    return layout;
  }

  constexpr HypVa stack_page(unsigned cpu) const {
    return private_base + (cpu * stack_stride) + page_size;
  }
  constexpr HypVa stack_top(unsigned cpu) const { return stack_page(cpu) + page_size; }
  constexpr HypVa fixmap_slot(unsigned cpu) const { return fixmap + (cpu * page_size); }
};

// Measured: with 48 bits and one CPU the first module stands here.
static_assert(Layout::make(48, Pa{0x4000'0000}, 1, address_rules(pkvm::Generation::android15_6_6))
                  .first_free == HypVa{0x4000'0840'0000});

}  // namespace pkvmemu::hyp
