// SPDX-License-Identifier: GPL-2.0-only
// printf for guest code, with the kernel's common extensions.
//
// Conversions: %d %i %u %x %X %o %c %s %p %%, flags "-+ #0", width and precision (also *), lengths
// hh h l ll z t j. Pointers as the kernel prints them: %px raw, %pS %ps %pB as symbols where the
// caller can name addresses, %pa a physical address behind a pointer, %pe an error pointer. %p and
// %pK print a fixed text: the kernel prints a hash that differs from boot to boot, and our console
// says the same on every machine. Unknown conversions are printed as they stand.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pkvmemu::fw {

/// Writes the name of `address` and returns its length, 0 when it has none.
using SymbolNamer = std::size_t (*)(std::uint64_t address, std::span<char> out);
/// For %pS; without one, addresses are printed raw.
void set_symbol_namer(SymbolNamer namer);

/// Fills `out` (always NUL-terminated unless empty) and returns the length of the whole text, which
/// may be more than fits, as vsnprintf does.
std::size_t format_text(std::span<char> out, const char* format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

}  // namespace pkvmemu::fw
