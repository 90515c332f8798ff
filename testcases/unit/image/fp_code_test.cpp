// SPDX-License-Identifier: GPL-2.0-only
// Which words are instructions of FP, SIMD or SVE.
#include "image/fp_code.h"

#include <gtest/gtest.h>

#include "pkvm/kcfi_words.h"

namespace pkvmemu::image {
namespace {

struct Row {
  std::uint32_t word;
  bool is_fp;
  const char* text;
};

class FpInstruction : public testing::TestWithParam<Row> {};
INSTANTIATE_TEST_SUITE_P(
    Words, FpInstruction,
    testing::Values(
        Row{0x9e670020, true, "fmov d0, x1"}, Row{0x1e602800, true, "fadd d0, d0, d0"},
        Row{0x4f000400, true, "movi v0.4s, #0"}, Row{0x3dc00000, true, "ldr q0, [x0]"},
        Row{0xfd000000, true, "str d0, [x0]"}, Row{0xad000400, true, "stp q0, q1, [x0]"},
        Row{0x4c407000, true, "ld1 {v0.16b}, [x0]"}, Row{0x4e284800, true, "aese v0.16b, v0.16b"},
        Row{0x04e0e3e0, true, "cntd x0"}, Row{0xf9400000, false, "ldr x0, [x0]"},
        Row{0xa9bf7bfd, false, "stp x29, x30, [sp, #-16]!"},
        Row{0xc8dffc00, false, "ldar x0, [x0]"}, Row{0xc8e07c41, false, "cas x0, x1, [x2]"},
        Row{0xf8200020, false, "ldadd x0, x0, [x1]"}, Row{0x58000000, false, "ldr x0, literal"},
        Row{0x5c000000, true, "ldr d0, literal"}, Row{0xd503233f, false, "paciasp"},
        Row{0x91000400, false, "add x0, x0, #1"}, Row{0x9b017c00, false, "mul x0, x0, x1"},
        Row{0xd65f03c0, false, "ret"}, Row{0xd4200000, false, "brk #0"},
        Row{0x14000001, false, "b"}, Row{0xd5384240, false, "mrs x0, CurrentEL"},
        Row{0x00000000, false, "udf #0"}));

// Each word is told by its main group.
TEST_P(FpInstruction, IsTold) {
  EXPECT_EQ(is_fp_instruction(GetParam().word), GetParam().is_fp) << GetParam().text;
}

// Words of kCFI look like anything, some of them like FP instructions: what finds code knows them.
TEST(FpInstruction, WordsOfTypesMayLookLikeThem) {
  EXPECT_TRUE(is_fp_instruction(pkvm::kcfi::trap.plain));
}

}  // namespace
}  // namespace pkvmemu::image
