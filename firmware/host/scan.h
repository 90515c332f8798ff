// SPDX-License-Identifier: GPL-2.0-only
// sscanf as kernels have it: %d %i %u %x %X %o %c %s %[set] %n %%, widths, lengths hh h l ll z, `*`
// to leave a value out. No '+' before numbers, none of floating point.
#pragma once

#include <cstdarg>

namespace pkvmemu::host {

/// How many values were stored; text that does not match, or is over, ends it.
int scan_text(const char* text, const char* format, va_list arguments)
    __attribute__((format(scanf, 2, 0)));

}  // namespace pkvmemu::host
