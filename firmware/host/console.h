// SPDX-License-Identifier: GPL-2.0-only
// The PL011 and printk. Lines carry no time stamps, counters or levels: the console says the same
// on every machine.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <string_view>

namespace pkvmemu::host {

/// From now on console output goes to the PL011 at this address.
void console_attach(std::uint64_t pl011);
void console_write(std::string_view text);

/// printk: KERN_ levels are stripped, KERN_CONT continues a line, a line left open is ended by the
/// next one. Returns the number of characters of the text.
int vprintk(const char* format, va_list arguments) __attribute__((format(printf, 1, 0)));
int printk(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Ends the current line if it is open; before others write to the same console.
void console_flush();

}  // namespace pkvmemu::host
