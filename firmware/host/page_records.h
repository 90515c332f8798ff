// SPDX-License-Identifier: GPL-2.0-only
// struct page, as inlines of kernel headers find it: 64 bytes for each page of RAM, in an array
// whose address is compiled into modules. Memory for a part of the array is taken when somebody
// asks for a record of it, or touches one; modules that know of no pages cost none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "pkvm/generation.h"
#include "support/address.h"

namespace pkvmemu::host {

/// The fields that are kept; GKI has them at these places in every generation.
struct PageRecord {
  std::uint64_t flags;
  /// Of the pages behind the first one of an allocation with __GFP_COMP: its record, plus 1.
  std::uint64_t head;
  std::uint64_t lru[3];
  std::uint64_t own;        ///< `private` of modules; in a second page of several its order, plus 1
  std::uint32_t map_count;  ///< -1: not mapped by user space
  std::int32_t references;
  std::uint64_t cgroup;
};
static_assert(sizeof(PageRecord) == 64 && offsetof(PageRecord, references) == 52);

void page_records_init(pkvm::Generation generation);

/// Null for what is not RAM, and when there is no memory for the record.
PageRecord* page_record(Pfn page);
/// Nothing when the address is none of a record of RAM.
std::optional<Pfn> page_of_record(std::uint64_t address);

/// An access to a record that nobody asked for. True when it is there now.
bool bring_page_record(std::uint64_t address);

}  // namespace pkvmemu::host
