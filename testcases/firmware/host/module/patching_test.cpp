// SPDX-License-Identifier: GPL-2.0-only
// What the kernel changes in a module's code and data beside relocation: alternatives, static keys,
// per-CPU variables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "host/module/alternatives.h"
#include "host/module/instructions.h"
#include "host/module/jump_labels.h"
#include "linked_module.h"
#include "pkvm/cpucaps.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using pkvm::Generation;
using pkvm::cpucaps::Presence;

constexpr std::uint32_t mov_1 = 0x5280'0020;  // mov w0, #1
constexpr std::uint32_t mov_2 = 0x5280'0040;
constexpr std::uint32_t branch_mask = 0xfc00'0000;
constexpr std::uint32_t b = 0x1400'0000;

/// One site with two instructions, `capability` and a replacement; `more` follows.
std::string site(std::string_view capability, std::string_view replacement,
                 std::string_view more = "") {
  return "661: mov w0, #1\n nop\n662: ret\n target: ret\n"
         ".section .altinstr_replacement, \"ax\"\n663: " +
         std::string(replacement) +
         "\n664:\n"
         ".section .altinstructions, \"a\"\n .word 661b - ., 663b - .\n .hword " +
         std::string(capability) + "\n .byte 662b - 661b, 664b - 663b\n" + std::string(more);
}

struct Patched : LinkedModule {
  explicit Patched(std::string_view body, std::set<Presence> capabilities = {Presence::always})
      : LinkedModule(compile_module(body)) {
    kernel.capabilities = std::move(capabilities);
    kernel.exports["alt_cb_patch_nops"] = FakeKernel::module_window + 0x10'0000;
    EXPECT_TRUE(link());
    done = apply_alternatives(kernel, Generation::android15_6_6, module);
  }
  [[nodiscard]] std::uint32_t code(std::uint64_t offset) const {
    return static_cast<std::uint32_t>(word(".text", offset));
  }
  AppliedAlternatives done;
};

// A capability that the kernel has: the replacement stands in the code.
TEST(Alternatives, AreMadeForWhatTheKernelHas) {
  const Patched patched(site("1", "mov w0, #2\n nop"));
  EXPECT_EQ(patched.done.replaced, 1U);
  EXPECT_EQ(patched.code(0), mov_2);
}

// Its twins: a capability that the kernel has not, and a number that nobody knows.
TEST(Alternatives, AreLeftAloneOtherwise) {
  const Patched absent(site("33", "mov w0, #2\n nop"));
  EXPECT_EQ(absent.done.replaced, 0U);
  EXPECT_EQ(absent.code(0), mov_1);
  const Patched present(site("33", "mov w0, #2\n nop"), {Presence::lse_atomics});
  EXPECT_EQ(present.code(0), mov_2);
  const Patched unknown(site("0x7abc", "mov w0, #2\n nop"));
  EXPECT_EQ(unknown.done.unknown, 1U);
  EXPECT_EQ(unknown.done.unknown_number, 0x7abc);
  EXPECT_EQ(unknown.code(0), mov_1);
}

// A branch in a replacement goes where it went before it was moved.
TEST(Alternatives, BranchesKeepTheirTargets) {
  const Patched patched(site("1", "cbz w1, target\n bl target"));
  ASSERT_EQ(patched.done.replaced, 1U);
  const std::uint64_t target = 12;
  EXPECT_EQ(patched.code(0), 0x3400'0001U | static_cast<std::uint32_t>(target / 4) << 5);
  EXPECT_EQ(patched.code(4), 0x9400'0000U | static_cast<std::uint32_t>((target - 4) / 4));
}

// A branch inside a replacement moves with it.
TEST(Alternatives, BranchesInsideMoveAlong) {
  const Patched patched(site("1", "1: nop\n b 1b"));
  EXPECT_EQ(patched.code(4), 0x17ff'ffffU) << "b .-4";
}

// The callback of the kernel that modules know puts NOPs; any other is not understood.
TEST(Alternatives, TheCallback) {
  const std::string_view body = R"(
    661: b target
    662: ret
    target: ret
    .section .altinstructions, "a"
    .word 661b - ., alt_cb_patch_nops - .
    .hword 0x8001
    .byte 662b - 661b, 0
    .word 661b - ., target - .
    .hword 0x8001
    .byte 662b - 661b, 0
  )";
  const Patched patched(body);
  EXPECT_EQ(patched.code(0), nop);
  EXPECT_EQ(patched.done.replaced, 1U);
  EXPECT_EQ(patched.done.not_understood, 1U);
}

// Records that cannot be right change nothing: other sizes, sites outside of the module, code that
// reads data beside itself.
TEST(Alternatives, DamagedRecords) {
  const Patched longer(site("1", "mov w0, #2\n nop\n nop"));
  EXPECT_EQ(longer.done.not_understood, 1U);
  EXPECT_EQ(longer.code(0), mov_1);
  const Patched literal(site("1", "ldr x0, 663b\n nop"));
  EXPECT_EQ(literal.done.not_understood, 1U);
  EXPECT_EQ(literal.code(0), mov_1);
  const Patched outside(
      "ret\n.section .altinstructions, \"a\"\n .word 0x7ffffff0, 0\n .hword 1\n .byte 4, 4\n .byte "
      "0");
  EXPECT_EQ(outside.done.not_understood, 1U);
}

// ADRP of a replacement names the same page from where it goes.
TEST(Alternatives, MovedAdrp) {
  const std::uint64_t from = 0xffff'ffc0'0800'1000;
  const std::uint32_t adrp = 0x9000'0003;  // adrp x3, .
  const auto moved = moved_instruction(adrp, from, from + 0x5000, from, 8);
  ASSERT_TRUE(moved);
  // -5 pages: immhi:immlo = -5.
  EXPECT_EQ(*moved, 0x9000'0003U | 3U << 29 | 0x7fffeU << 5);
  EXPECT_FALSE(moved_instruction(adrp, from, from + (std::uint64_t{5} << 32), from, 8))
      << "out of reach";
}

constexpr std::string_view jumps = R"(
  first: nop
  ret
  yes: ret
  second: nop
  ret
  .data
  .balign 8
  off: .quad 0, 0
  on: .quad 1, 1
  .section __jump_table, "aw"
  .balign 8
  .long first - ., yes - .
  .quad off - .
  .long second - ., yes - .
  .quad on - . + 1
  .long first + 4 - ., yes - .
  .quad kernel_key - .
)";

struct Keyed : LinkedModule {
  Keyed() : LinkedModule(compile_module(jumps)) {
    kernel.exports["kernel_key"] = key.value;
    kernel.keys[key.value] = true;
    EXPECT_TRUE(link());
    module.state = ModuleState::live;
    prepare_jumps(kernel, {&module, 1}, module);
  }
  [[nodiscard]] std::uint32_t code(std::uint64_t offset) const {
    return static_cast<std::uint32_t>(word(".text", offset));
  }
  [[nodiscard]] KernVa own(std::string_view name) const { return *module.symbol_address(name); }
  static constexpr KernVa key{FakeKernel::module_window + 0x20'0000};
};

// A place is a branch when its key is on, and with bit 0 when its key is off; keys may be the
// module's own or the kernel's.
TEST(JumpLabels, FollowTheirKeysFromTheStart) {
  const Keyed module;
  EXPECT_EQ(module.code(0), nop);
  EXPECT_EQ(module.code(12), nop);
  EXPECT_EQ(module.code(4), b | 1) << "the kernel's key is on";
}

// Switching a key changes its own places and no others.
TEST(JumpLabels, Switch) {
  Keyed module;
  EXPECT_EQ(switch_jumps(module.kernel, module.module, module.own("off"), true), 1U);
  EXPECT_EQ(module.code(0), b | 2);
  EXPECT_EQ(module.code(12), nop);
  EXPECT_EQ(switch_jumps(module.kernel, module.module, module.own("on"), false), 1U);
  EXPECT_EQ(module.code(12) & branch_mask, b);
  EXPECT_EQ(switch_jumps(module.kernel, module.module, module.own("off"), false), 1U);
  EXPECT_EQ(module.code(0), nop);
  EXPECT_EQ(switch_jumps(module.kernel, module.module, KernVa{0x1000}, true), 0U);
}

// A key that cannot be read leaves its places as the compiler made them.
TEST(JumpLabels, AnUnknownKey) {
  LinkedModule module(
      compile_module("first: nop\n ret\n.section __jump_table, \"aw\"\n .long first - ., first - "
                     ".\n .quad far - .\n"));
  module.kernel.exports["far"] = FakeKernel::module_window + 0x30'0000;
  ASSERT_TRUE(module.link());
  prepare_jumps(module.kernel, {&module.module, 1}, module.module);
  EXPECT_EQ(module.word(".text", 0), nop);
}

constexpr std::string_view per_cpu = R"(
  init_module: adrp x0, counter
  add x0, x0, :lo12:counter
  ret
  .section .data..percpu, "aw"
  .balign 64
  .quad 0x1122334455667788
  counter: .quad pointee
  .data
  pointee: .quad counter
)";

// Symbols of .data..percpu have addresses of the per-CPU window, its bytes go to the CPU's copy,
// and relocations in it are made there.
TEST(PerCpu, ASectionOfItsOwn) {
  LinkedModule linked(compile_module(per_cpu));
  ASSERT_TRUE(linked.link());
  const std::uint64_t counter = FakeKernel::per_cpu_window + 8;
  EXPECT_EQ(linked.module.symbol_address("counter")->value, counter);
  EXPECT_EQ(linked.word(".data", 0, 8), counter);
  std::uint64_t words[2] = {};
  std::memcpy(words, linked.kernel.per_cpu.data(), sizeof(words));
  EXPECT_EQ(words[0], 0x1122'3344'5566'7788U);
  EXPECT_EQ(words[1], linked.module.symbol_address("pointee")->value);
}

// No room is an error of the load, and a load that fails gives the memory back.
TEST(PerCpu, RoomIsTakenAndGivenBack) {
  LinkedModule linked(compile_module(per_cpu));
  linked.kernel.per_cpu_room = 8;
  const auto done = linked.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().problem, Problem::no_memory);
  EXPECT_EQ(linked.kernel.per_cpu_pieces, 0U);

  World world;
  world.add_module("test.ko", compile_module(per_cpu));
  ModuleLoader& loader = world.boot();
  world.kernel.init = [](KernVa) { return -1; };
  EXPECT_NE(loader.modprobe("test", LoadKind::late), 0);
  EXPECT_EQ(world.kernel.per_cpu_pieces, 0U);
  EXPECT_EQ(world.kernel.per_cpu.size(), world.kernel.per_cpu_room) << "it was there";
}

}  // namespace
}  // namespace pkvmemu::kmod::test
