// SPDX-License-Identifier: GPL-2.0-only
// C strings and number parsing for guest code. Names say what C's say; libc.cpp wraps them under
// the C names for modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pkvmemu::fw {

std::size_t string_length(const char* text);
std::size_t string_length(const char* text, std::size_t limit);
int compare_strings(const char* a, const char* b);
int compare_strings(const char* a, const char* b, std::size_t limit);
/// First and last occurrence of `wanted` ('\0' included); nullptr when there is none.
const char* find_first(const char* text, char wanted);
const char* find_last(const char* text, char wanted);

/// Copies as much of `from` as fits with its NUL, and returns whether all of it did.
bool copy_string(std::span<char> to, std::string_view from);

/// Unsigned decimal, or hexadecimal after 0x; the whole of `text`, no sign, no overflow.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// Spaces, tabs, carriage returns and newlines at both ends removed.
std::string_view trim(std::string_view text);

/// Takes the text before the first `separator` (or all of it) off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator);
/// Takes the next run of non-blanks off the front of `rest`; empty when there is none.
std::string_view take_word(std::string_view& rest);

}  // namespace pkvmemu::fw
