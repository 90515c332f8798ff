// SPDX-License-Identifier: GPL-2.0-only
// What the host said is RAM (its memblock regions), and which range around an address may be mapped
// in one go: the region that holds it, or the hole of MMIO between two (pkvm-abi.md 7.4, 7.7).
#pragma once

#include <cstdint>
#include <span>

#include "pkvm/hyp_image.h"
#include "support/address.h"

namespace pkvmemu::hyp {

/// [begin, end) of physical addresses.
struct PaRange {
  Pa begin;
  Pa end;
  constexpr std::uint64_t size() const { return end - begin; }
  constexpr bool contains(Pa pa) const { return pa >= begin && pa < end; }
  constexpr bool contains(const PaRange& other) const {
    return other.begin >= begin && other.end <= end;
  }
};

enum class MemoryKind : std::uint8_t {
  ram,
  no_map,  ///< RAM that the kernel reserved with no-map: the host cannot share or donate it
  mmio,
};

class MemoryMap {
 public:
  constexpr MemoryMap() = default;
  /// Regions are sorted and do not overlap; they outlive the map.
  constexpr explicit MemoryMap(std::span<const pkvm::HypMemoryRegion> regions)
      : regions_(regions) {}

  struct Place {
    MemoryKind kind;
    PaRange range;  ///< the whole region, or hole, around the address
  };
  Place find(Pa pa) const;

  bool is_ram(Pa pa) const { return find(pa).kind != MemoryKind::mmio; }
  /// Every byte is RAM (`no_map` included). Empty ranges are.
  bool is_ram(const PaRange& range) const;
  /// No byte is RAM.
  bool is_mmio(const PaRange& range) const;

  std::span<const pkvm::HypMemoryRegion> regions() const { return regions_; }

 private:
  std::span<const pkvm::HypMemoryRegion> regions_;
};

/// The range of `pages` pages from frame `pfn`; empty optional-like result when it does not fit
/// into 48 bits of physical address.
constexpr bool fits_physical(std::uint64_t pfn, std::uint64_t pages) {
  constexpr std::uint64_t frames = std::uint64_t{1} << (48 - page_shift);
  return pfn < frames && pages <= frames - pfn;
}

}  // namespace pkvmemu::hyp
