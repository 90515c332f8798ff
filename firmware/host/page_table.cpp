// SPDX-License-Identifier: GPL-2.0-only
#include "host/page_table.h"

namespace pkvmemu::host {

namespace {

constexpr std::uint64_t index_mask = 511;

bool is_valid(std::uint64_t entry) {
  return (entry & descriptor::valid) != 0;
}
bool is_table(std::uint64_t entry) {
  return (entry & (descriptor::valid | descriptor::table_or_page)) ==
         (descriptor::valid | descriptor::table_or_page);
}

}  // namespace

std::uint64_t* PageTable::entry(Pa table, std::uint64_t va, unsigned level) const {
  return memory_->view(table) + (va >> shift_of(level) & index_mask);
}

std::uint64_t* PageTable::reach(std::uint64_t va, unsigned level) {
  Pa table = root_;
  for (unsigned at = first_level(); at < level; ++at) {
    std::uint64_t* slot = entry(table, va, at);
    if (!is_valid(*slot)) {
      const auto fresh = memory_->take_table();
      if (!fresh) return nullptr;
      *slot = fresh->value | descriptor::valid | descriptor::table_or_page;
    }
    if (!is_table(*slot)) __builtin_trap();  // would split a block
    table = Pa{*slot & descriptor::address_mask};
  }
  return entry(table, va, level);
}

unsigned PageTable::leaf_level(std::uint64_t va, Pa pa, std::uint64_t size, Largest largest) {
  for (auto level = static_cast<unsigned>(largest); level < last_level; ++level) {
    const std::uint64_t block = bit(shift_of(level));
    if (size >= block && is_aligned(va | pa.value, block)) return level;
  }
  return last_level;
}

bool PageTable::map(std::uint64_t va, Pa pa, std::uint64_t size, Attributes attributes,
                    Largest largest) {
  while (size != 0) {
    const unsigned level = leaf_level(va, pa, size, largest);
    const std::uint64_t step = bit(shift_of(level));
    std::uint64_t* slot = reach(va, level);
    if (slot == nullptr) return false;
    // Neighbours that share the last table are written without walking again.
    const std::uint64_t type = level == last_level ? descriptor::table_or_page : 0;
    do {
      *slot++ = pa.value | attributes.value | descriptor::valid | type;
      va += step;
      pa = pa + step;
      size -= step;
    } while (size >= step && (va >> shift_of(level) & index_mask) != 0 &&
             leaf_level(va, pa, size, largest) == level);
  }
  return true;
}

void PageTable::unmap(std::uint64_t va, std::uint64_t size) {
  for (const std::uint64_t end = va + size; va != end; va += page_size) {
    if (!find(va)) continue;
    *reach(va, last_level) = 0;
  }
}

std::optional<PageTable::Leaf> PageTable::find(std::uint64_t va) const {
  Pa table = root_;
  for (unsigned level = first_level(); level <= last_level; ++level) {
    const std::uint64_t value = *entry(table, va, level);
    if (!is_valid(value)) return std::nullopt;
    if (level != last_level && is_table(value)) {
      table = Pa{value & descriptor::address_mask};
      continue;
    }
    const std::uint64_t offset = va & low_mask(shift_of(level));
    const std::uint64_t type = descriptor::valid | descriptor::table_or_page;
    return Leaf{.pa = Pa{(value & descriptor::address_mask) + offset},
                .attributes = Attributes{value & ~descriptor::address_mask & ~type},
                .level = level};
  }
  return std::nullopt;
}

}  // namespace pkvmemu::host
