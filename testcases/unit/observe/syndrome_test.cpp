// SPDX-License-Identifier: GPL-2.0-only
// Syndromes in words: each row is an ESR_EL2 as the architecture builds it, and what people read.
#include "observe/syndrome.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace pkvmemu::observe {
namespace {

struct Row {
  std::string name;
  std::uint64_t esr;
  std::uint64_t far;
  std::string text;

  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};
class Syndrome : public testing::TestWithParam<Row> {};

INSTANTIATE_TEST_SUITE_P(
    Words, Syndrome,
    testing::Values(
        Row{"MeasuredStore", 0x97c98045, 0xdead000,
            "write to 0xdead000 (translation fault, level 1)"},
        Row{"NullRead", 0x97c88005, 0x28,
            "read of 0x28, a null pointer (translation fault, level 1)"},
        Row{"FirstAddressThatIsNoNull", 0x97c88005, 0x1000,
            "read of 0x1000 (translation fault, level 1)"},
        Row{"ReadOnlyData", 0x9600004f, 0x40000000,
            "write to 0x40000000 (permission fault, level 3)"},
        Row{"AccessFlag", 0x9600000a, 0x40000000,
            "read of 0x40000000 (access flag fault, level 2)"},
        Row{"AddressSize", 0x96000000, 0x40000000,
            "read of 0x40000000 (address size fault, level 0)"},
        Row{"Unaligned", 0x96000021, 0x40000001, "read of 0x40000001 (alignment fault)"},
        Row{"NothingThere", 0x96000010, 0x40000000,
            "read of 0x40000000 (external abort: nothing answers there)"},
        Row{"OtherStatus", 0x96000030, 0x40000000, "read of 0x40000000 (fault status 0x30)"},
        Row{"Execution", 0x8600000f, 0x40000000,
            "execution of 0x40000000 (permission fault, level 3)"},
        Row{"Warn", 0xf2000800, 0, "BRK #0x800, a BUG or WARN, which at EL2 are the same"},
        Row{"Kcfi", 0xf2008228, 0,
            "BRK #0x8228, kCFI: a function was called through a pointer, or registered, as another "
            "type than it has"},
        Row{"AfterKcfi", 0xf2008400, 0, "BRK #0x8400"},
        Row{"OtherBreak", 0xf2000001, 0, "BRK #0x1"},
        Row{"Undefined", 0x02000000, 0, "an instruction that is undefined"},
        Row{"JumpAstray", 0x8a000000, 0, "a jump to an address that is no multiple of 4"},
        Row{"StackAstray", 0x9a000000, 0, "a stack pointer that is no multiple of 16"},
        Row{"Rare", 0xbe000000, 0, "exception class 0x2f"}),
    [](const auto& row) { return row.param.name; });

// The words say what was done, to which address, and why it failed.
TEST_P(Syndrome, IsToldInWords) {
  EXPECT_EQ(syndrome_text(GetParam().esr, GetParam().far), GetParam().text);
}

}  // namespace
}  // namespace pkvmemu::observe
