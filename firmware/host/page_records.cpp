// SPDX-License-Identifier: GPL-2.0-only
#include "host/page_records.h"

#include <array>
#include <span>

#include "host/early.h"
#include "host/memory.h"
#include "pkvm/platform.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

constexpr std::size_t records_in_a_page = page_size / sizeof(PageRecord);
constexpr Pfn first_frame = pfn_of(Pa{pkvm::platform::ram_base});

constinit std::uint64_t records_begin = 0;

std::uint64_t address_of(Pfn page) {
  return records_begin + (page.value - first_frame.value) * sizeof(PageRecord);
}

/// Pages are in use until somebody frees them.
void fill(std::uint64_t address) {
  const std::span records(reinterpret_cast<PageRecord*>(address), records_in_a_page);
  for (PageRecord& record : records) {
    record = {};
    record.map_count = ~std::uint32_t{0};
    record.references = 1;
  }
}

}  // namespace

void page_records_init(pkvm::Generation generation) {
  records_begin = kernel_layout().vmemmap_begin(generation);
}

std::optional<Pfn> page_of_record(std::uint64_t address) {
  if (records_begin == 0 || address < records_begin) return std::nullopt;
  const Pfn page{first_frame.value + (address - records_begin) / sizeof(PageRecord)};
  if (!is_ram(pa_of(page))) return std::nullopt;
  return page;
}

bool bring_page_record(std::uint64_t address) {
  if (!page_of_record(address)) return false;
  const std::uint64_t first = align_down(address, page_size);
  if (physical_address(first)) return false;
  if (!map_record_page(first)) return false;
  fill(first);
  return true;
}

PageRecord* page_record(Pfn page) {
  if (!is_ram(pa_of(page))) return nullptr;
  const std::uint64_t address = address_of(page);
  if (!physical_address(address) && !bring_page_record(address)) return nullptr;
  return reinterpret_cast<PageRecord*>(address);
}

}  // namespace pkvmemu::host
