// SPDX-License-Identifier: GPL-2.0-only
// The trace buffer that the host gives to the hypervisor (__pkvm_load_tracing). The specification
// names the calls and not the buffer's form: this one is our own, the same in every generation that
// has trace ops (docs/fidelity.md).
//
// The descriptor names pages that the host has shared. EL2 fills one after the other; the host
// takes the oldest with __pkvm_swap_reader_tracing (x1 = its index, or -ENOENT) and owns it until
// it takes the next. When no page is left the oldest that was not taken is lost.
#pragma once

#include <cstdint>

namespace pkvm::trace {

inline constexpr std::uint64_t max_pages = 64;

struct Descriptor {
  std::uint64_t pages;
  std::uint64_t frame[max_pages];
};

/// At the start of each page; entries follow, each a multiple of 8 bytes.
struct PageHeader {
  std::uint32_t used;  ///< bytes of entries
  std::uint32_t lost;  ///< entries that were dropped before this page's first
};

/// Before each payload, which starts with the event's id (pkvm-abi.md 2.8).
struct EntryHeader {
  std::uint32_t size;  ///< of the payload, as the module asked for it
  std::uint32_t reserved;
};
inline constexpr std::uint64_t entry_alignment = 8;

/// The id of what tracing_mod_hyp_printk writes; modules' events come after it.
inline constexpr std::uint16_t printk_event = 1;
inline constexpr std::uint16_t first_module_event = 2;
struct [[gnu::packed]] PrintkEntry {
  std::uint16_t id;
  std::uint8_t format;
  std::uint64_t a, b, c, d;
};

}  // namespace pkvm::trace
