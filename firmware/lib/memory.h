// SPDX-License-Identifier: GPL-2.0-only
// Byte copying for guest code, which has no C library. The C names that compilers emit calls to
// (memcpy and friends) wrap these in libc.cpp; natively only these exist, under test.
#pragma once

#include <cstddef>

namespace pkvmemu::fw {

/// The ranges do not overlap.
void copy_bytes(void* to, const void* from, std::size_t size);
/// The ranges may overlap.
void move_bytes(void* to, const void* from, std::size_t size);
void fill_bytes(void* to, unsigned char value, std::size_t size);
/// <0, 0, >0 as the first differing byte of `a` is below, absent or above that of `b`.
int compare_bytes(const void* a, const void* b, std::size_t size);

}  // namespace pkvmemu::fw
