// SPDX-License-Identifier: GPL-2.0-only
// Decoding, word by word; the expected words were assembled by clang from the texts beside them.
#include "code/disassembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string_view>

namespace pkvmemu::code {
namespace {

using testing::StartsWith;
using Writeback = MemoryOperand::Writeback;

constexpr std::uint64_t here = 0x1000;

class DisassemblerTest : public testing::Test {
 protected:
  [[nodiscard]] Instruction decode(std::uint32_t word) const {
    return disassembler_.decode(word, here);
  }

  Disassembler disassembler_ = Disassembler::create().value();
};

struct TextRow {
  std::uint32_t word;
  Operation operation;
  std::string_view text;
};

// What modules are made of is recognised, with the words and texts of the assembler.
TEST_F(DisassemblerTest, KnowsOperations) {
  constexpr TextRow rows[] = {
      {0xf9401528, Operation::load, "ldr x8, [x9, #0x28]"},
      {0xa940d008, Operation::load, "ldp x8, x20, [x0, #8]"},
      {0xb85fc110, Operation::load, "ldur w16, [x8, #-4]"},
      {0xf9000128, Operation::store, "str x8, [x9]"},
      {0xa9bd7bfd, Operation::store, "stp x29, x30, [sp, #-0x30]!"},
      {0x9100014a, Operation::add, "add x10, x10, #0"},
      {0xaa0003f3, Operation::move, "mov x19, x0"},
      {0x9a800108, Operation::select, "csel x8, x8, x0, eq"},
      {0x90000009, Operation::address, "adrp x9, #0x1000"},
      {0x54000069, Operation::conditional, "b.ls #0x100c"},
      {0x14000018, Operation::branch, "b #0x1060"},
      {0x94000002, Operation::call, "bl #0x1008"},
      {0xd63f0100, Operation::call_register, "blr x8"},
      {0xd61f0100, Operation::jump_register, "br x8"},
      {0xd65f03c0, Operation::ret, "ret"},
      {0xd65f0bff, Operation::ret, "retaa"},
      {0xd4304500, Operation::trap, "brk #0x8228"},
      {0xd503233f, Operation::other, "paciasp"},
      {0xc8e0fc41, Operation::other, "casal x0, x1, [x2]"},
      {0x39000028, Operation::store, "strb w8, [x1]"},
      {0xe76381d2, Operation::invalid, ".word 0xe76381d2"},
  };
  for (const TextRow& row : rows) {
    EXPECT_EQ(decode(row.word).operation, row.operation) << row.text;
    EXPECT_EQ(disassembler_.text(row.word, here), row.text);
  }
}

// Loads and stores say which registers go where, how wide, and what becomes of the base.
TEST_F(DisassemblerTest, KnowsMemoryOperands) {
  const Instruction load = decode(0xa940d008);  // ldp x8, x20, [x0, #8]
  EXPECT_EQ(load.transfer_count, 2);
  EXPECT_EQ(load.transfer[0].number, 8);
  EXPECT_EQ(load.transfer[1].number, 20);
  EXPECT_EQ(load.access_size, 8);
  EXPECT_EQ(load.memory.base.number, 0);
  EXPECT_EQ(load.memory.offset, 8);
  EXPECT_EQ(load.memory.writeback, Writeback::none);
  EXPECT_EQ(load.written, (1U << 8) | (1U << 20));

  const Instruction push = decode(0xa9bd7bfd);  // stp x29, x30, [sp, #-0x30]!
  EXPECT_TRUE(push.memory.base.is_sp());
  EXPECT_EQ(push.memory.offset, -0x30);
  EXPECT_EQ(push.memory.writeback, Writeback::before);
  EXPECT_EQ(push.written, 1U << 31);

  const Instruction pop = decode(0xa8c37bfd);  // ldp x29, x30, [sp], #0x30
  EXPECT_EQ(pop.memory.writeback, Writeback::after);
  EXPECT_EQ(pop.memory.offset, 0x30);

  const Instruction indexed = decode(0xf8697908);  // ldr x8, [x8, x9, lsl #3]
  ASSERT_TRUE(indexed.memory.index);
  EXPECT_EQ(indexed.memory.index->number, 9);
  EXPECT_EQ(decode(0xb9400108).access_size, 4);  // ldr w8, [x8]
}

// Moves of half a register are not moves of a pointer.
TEST_F(DisassemblerTest, NarrowMovesAreNoMoves) {
  EXPECT_EQ(decode(0x2a0003f3).operation, Operation::other);  // mov w19, w0
  EXPECT_TRUE(decode(0x2a0003f3).writes({19}));
}

// Whatever overwrites a register says so: atomics, system reads, conditional selects.
TEST_F(DisassemblerTest, KnowsWhatIsOverwritten) {
  EXPECT_TRUE(decode(0xd53b4208).writes({8}));   // mrs x8, nzcv
  EXPECT_TRUE(decode(0x9a800108).writes({8}));   // csel x8, x8, x0, eq
  EXPECT_TRUE(decode(0xf8200041).writes({1}));   // ldadd x0, x1, [x2]
  EXPECT_TRUE(decode(0xf2a00008).writes({8}));   // movk x8, #0, lsl #16
  EXPECT_FALSE(decode(0xf1000d1f).writes({8}));  // cmp x8, #3
  EXPECT_FALSE(decode(0xf9000128).writes({8}));  // str x8, [x9]
}

// SUB counts down, and a shifted immediate counts as what it is.
TEST_F(DisassemblerTest, KnowsImmediates) {
  EXPECT_EQ(decode(0xd10043ff).immediate, -0x10);             // sub sp, sp, #0x10
  EXPECT_EQ(decode(0x91400420).immediate, 0x1000);            // add x0, x1, #1, lsl #12
  EXPECT_EQ(decode(0x8b080128).operation, Operation::other);  // add x8, x9, x8
}

// Any word at all is answered, with a text, and names no register that does not exist.
TEST_F(DisassemblerTest, RandomWords) {
  constexpr unsigned seed = 20240607;
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto word = static_cast<std::uint32_t>(random());
    const Instruction own = decode(word);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", word " << std::hex << word);
    ASSERT_FALSE(disassembler_.text(word, here).empty());
    ASSERT_EQ(own.word, word);
    for (std::size_t n = 0; n < own.transfer_count; ++n)
      ASSERT_LT(own.transfer[n].number, Register::count);
  }
}

// The library is of the generation that decodes atomics and pointer authentication.
TEST(DisassemblerVersion, IsFive) {
  EXPECT_THAT(disassembler_version(), StartsWith("5."));
}

}  // namespace
}  // namespace pkvmemu::code
