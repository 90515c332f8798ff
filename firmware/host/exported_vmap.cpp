// SPDX-License-Identifier: GPL-2.0-only
// Pages of a module's side by side: vmap.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "host/console.h"
#include "host/memory.h"
#include "host/page_records.h"
#include "host/records.h"
#include "support/address.h"

namespace host = pkvmemu::host;
using host::PageRecord;
using pkvmemu::Pa;

namespace {

/// What was mapped, until it is unmapped.
struct Area {
  Area* next;
  std::uint64_t address;
  std::uint64_t size;
};
constinit Area* areas = nullptr;

/// The pages' addresses; empty when one is no page of RAM or there is no memory.
std::span<Pa> addresses_of(std::span<const PageRecord* const> pages) {
  auto* first = static_cast<Pa*>(host::take_record(pages.size() * sizeof(Pa)));
  if (first == nullptr) return {};
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto page = host::page_of_record(reinterpret_cast<std::uint64_t>(pages[i]));
    if (!page) {
      host::release_record(first);
      return {};
    }
    first[i] = pkvmemu::pa_of(*page);
  }
  return {first, pages.size()};
}

}  // namespace

extern "C" {

/// Memory as all is, whatever `protection` asks for.
void* export_vmap(const PageRecord* const* pages, unsigned count, unsigned long /*flags*/,
                  std::uint64_t /*protection*/) {
  if (count == 0) return nullptr;
  const std::span<Pa> addresses = addresses_of({pages, count});
  auto* area = static_cast<Area*>(host::take_record(sizeof(Area)));
  const auto mapped =
      addresses.empty() || area == nullptr ? std::nullopt : host::map_together(addresses);
  host::release_record(addresses.data());
  if (!mapped) {
    host::release_record(area);
    return nullptr;
  }
  *area = {.next = areas, .address = *mapped, .size = std::uint64_t{count} << pkvmemu::page_shift};
  areas = area;
  return reinterpret_cast<void*>(*mapped);
}

void export_vunmap(const void* address) {
  if (address == nullptr) return;
  for (Area** at = &areas; *at != nullptr; at = &(*at)->next) {
    Area* gone = *at;
    if (gone->address != reinterpret_cast<std::uint64_t>(address)) continue;
    host::unmap_memory(gone->address, gone->size);
    *at = gone->next;
    host::release_record(gone);
    return;
  }
  host::printk("WARNING: vunmap at %pS: nothing is mapped there\n", __builtin_return_address(0));
}
}
