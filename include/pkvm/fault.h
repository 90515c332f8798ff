// SPDX-License-Identifier: GPL-2.0-only
// Fault sites: places in the firmware that say what may fail there, so that the machine can make it
// fail.
//
// A site is one instruction, `mov xN, xzr`, whose result means "nothing failed". It does no more on
// any machine, QEMU included; a machine that injects faults writes an error to xN before the next
// instruction. What each site is called and may answer stands in a table in the image, one table
// for each exception level: a header that is found by its magic, then records.
#pragma once

#include <cstdint>

namespace pkvm::fault {

inline constexpr std::uint64_t table_magic = 0x3154'4c46'4d56'4b50;  // "PKVMFLT1"

/// Error types, as ALLOW_ERROR_INJECTION has them.
enum class Answer : std::uint32_t {
  errno_value = 1,  ///< a negative error number
  nothing = 2,      ///< NULL, false, not found: any value but 0 stands for it
};

/// At an 8-byte aligned address of the image (written by the linker scripts).
struct TableHeader {
  std::uint64_t magic;
  std::uint64_t offset;  ///< of this header from the start of its image
  std::uint32_t size;    ///< bytes of records that follow
  std::uint32_t level;   ///< exception level that the image runs at
};
static_assert(sizeof(TableHeader) == 24);

struct SiteRecord {
  std::int64_t after;  ///< the instruction behind the `mov`, relative to this field
  Answer answer;
  std::int32_t usual;  ///< what it answers when nothing else is asked for
  char name[48];       ///< "hyp.pool.take"; NUL-terminated
  char meaning[128];   ///< NUL-terminated
};
static_assert(sizeof(SiteRecord) == 192);

/// `mov xN, xzr`, N in the low five bits.
inline constexpr std::uint32_t site_instruction = 0xaa1f'03e0;

}  // namespace pkvm::fault
