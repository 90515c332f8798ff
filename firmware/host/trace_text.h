// SPDX-License-Identifier: GPL-2.0-only
// A trace event's entry as text, by the event's own print format (pkvm-abi.md 2.8): what a kernel
// calls print_fmt, "\"id=0x%llx\", REC->id". Arguments that are more than a field are beyond it:
// then all fields are listed by name. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pkvmemu::host {

struct TraceField {
  std::string_view name;
  std::uint64_t value = 0;  ///< sign-extended for signed types
  bool is_signed = false;
};

/// Fills `out`, NUL-terminated, and returns the text.
std::string_view trace_text(std::span<char> out, std::string_view print_fmt,
                            std::span<const TraceField> fields);

/// The same for a bare printf format and its values (hyp_printk); more conversions than values take
/// 0.
std::string_view trace_printk_text(std::span<char> out, std::string_view format,
                                   std::span<const std::uint64_t> values);

}  // namespace pkvmemu::host
