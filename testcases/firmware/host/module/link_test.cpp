// SPDX-License-Identifier: GPL-2.0-only
// What lld cannot judge: veneers, overflow refusals, imports, and files that do not link.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "image/ko.h"
#include "linked_module.h"
#include "support/bits.h"

namespace pkvmemu::kmod::test {
namespace {

using testing::HasSubstr;

/// Out of a branch's reach (128 MiB) from the module window, within ADRP's.
constexpr std::uint64_t far_kernel = FakeKernel::module_window - 0x2000'0000;
/// Out of ADRP's reach (4 GiB) as well.
constexpr std::uint64_t too_far = FakeKernel::module_window - 0x2'0000'0000;
constexpr std::uint64_t instruction_size = 4;

std::string words(const Loaded<void>& done) {
  if (done) return "loaded";
  std::array<char, 256> buffer{};
  return std::string(describe(done.error(), buffer));
}

/// Where B or BL at `place` goes.
std::uint64_t branch_target(std::uint64_t word, std::uint64_t place) {
  return place + static_cast<std::uint64_t>(sign_extend(word & 0x3ff'ffff, 26) * 4);
}

/// Where adrp x16; add x16, x16; br x16 at `place` goes; nothing for other code.
std::optional<std::uint64_t> veneer_target(const Module& module, std::uint64_t place) {
  const auto bytes = module.bytes_at(KernVa{place}, 12);
  std::array<std::uint32_t, 3> code{};
  if (bytes.size() != sizeof(code)) return std::nullopt;
  std::memcpy(code.data(), bytes.data(), sizeof(code));
  if ((code[0] & 0x9f00'001f) != 0x9000'0010 || (code[1] & 0xffc0'03ff) != 0x9100'0210 ||
      code[2] != 0xd61f'0200)
    return std::nullopt;
  const std::uint64_t pages = bits(code[0], 23, 5) << 2 | bits(code[0], 30, 29);
  return align_down(place, 4096) + (static_cast<std::uint64_t>(sign_extend(pages, 21)) << 12) +
         bits(code[1], 21, 10);
}

// A branch that reaches its import goes there directly.
TEST(Veneers, ANearImportNeedsNone) {
  LinkedModule linked(compile_module("bl printk\n"));
  linked.kernel.exports["printk"] = FakeKernel::module_window + 0x10'0000;
  ASSERT_TRUE(linked.link());
  EXPECT_EQ(branch_target(linked.word(".text", 0), linked.section(".text").address),
            FakeKernel::module_window + 0x10'0000);
  EXPECT_EQ(linked.module.plt.used, 0U);
}

// A branch that does not reach goes through a veneer in the module's own code, which ends at the
// import; two branches to one place share it, another addend has its own.
TEST(Veneers, AFarImportGoesThroughOne) {
  LinkedModule linked(compile_module("bl printk\n b printk\n bl printk + 8\n"));
  linked.kernel.exports["printk"] = far_kernel + 0x124;
  const auto done = linked.link();
  ASSERT_TRUE(done) << words(done);
  const std::uint64_t text = linked.section(".text").address;
  const auto target = [&](std::uint64_t at) {
    return branch_target(linked.word(".text", at), text + at);
  };
  EXPECT_EQ(veneer_target(linked.module, target(0)), far_kernel + 0x124);
  EXPECT_EQ(target(0), target(instruction_size));
  EXPECT_EQ(veneer_target(linked.module, target(2 * instruction_size)), far_kernel + 0x12c);
  EXPECT_EQ(linked.module.plt.used, 24U);
}

// Code that is freed after init has its veneers in memory that goes with it.
TEST(Veneers, InitCodeHasItsOwn) {
  LinkedModule linked(compile_module(".section .init.text, \"ax\"\n bl printk\n"));
  linked.kernel.exports["printk"] = far_kernel;
  ASSERT_TRUE(linked.link());
  EXPECT_EQ(linked.module.plt.used, 0U);
  EXPECT_EQ(linked.module.init_plt.used, 12U);
  const std::uint64_t place = linked.section(".init.text").address;
  EXPECT_EQ(veneer_target(linked.module, branch_target(linked.word(".init.text", 0), place)),
            far_kernel);
}

// An import that even ADRP does not reach is an overflow, told with place and name.
TEST(Veneers, AnImportBeyondAdrpIsRefused) {
  LinkedModule linked(compile_module("nop\n bl printk\n"));
  linked.kernel.exports["printk"] = too_far;
  const auto done = linked.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, -8);
  EXPECT_EQ(done.error().step, Step::relocate);
  EXPECT_THAT(words(done), HasSubstr("relocation R_AARCH64_CALL26 at .text+0x4 against printk "
                                     "overflows: "));
}

// Branch targets at the very edges of the reach: the last that fits goes directly, the first that
// does not goes through a veneer, forwards and backwards.
TEST(Veneers, TheEdgesOfTheReach) {
  constexpr std::int64_t reach = std::int64_t{1} << 27;
  struct Case {
    std::int64_t distance;
    std::uint64_t veneer_bytes;
  };
  for (const Case& c :
       {Case{reach - 4, 0}, Case{reach, 12}, Case{-reach, 0}, Case{-reach - 4, 12}}) {
    LinkedModule probe(compile_module("bl printk\n"));
    probe.kernel.exports["printk"] = FakeKernel::module_window;
    ASSERT_TRUE(probe.link());
    LinkedModule linked(probe.file);
    linked.kernel.exports["printk"] =
        probe.section(".text").address + static_cast<std::uint64_t>(c.distance);
    ASSERT_TRUE(linked.link());
    EXPECT_EQ(linked.module.plt.used, c.veneer_bytes) << c.distance;
  }
}

// Each instruction and data relocation whose value does not fit is refused and named.
TEST(Overflow, IsRefusedAndNamed) {
  struct Case {
    std::string_view code;
    std::string_view relocation;
  };
  constexpr std::array cases = {
      Case{".word far", "R_AARCH64_ABS32"},
      Case{".hword far", "R_AARCH64_ABS16"},
      Case{".word far - .", "R_AARCH64_PREL32"},
      Case{".hword far - .", "R_AARCH64_PREL16"},
      Case{"adrp x0, far", "R_AARCH64_ADR_PREL_PG_HI21"},
      Case{"adr x0, far", "R_AARCH64_ADR_PREL_LO21"},
      Case{"ldr x0, far", "R_AARCH64_LD_PREL_LO19"},
      Case{"b.eq far", "R_AARCH64_CONDBR19"},
      Case{"tbz x0, #1, far", "R_AARCH64_TSTBR14"},
      Case{"movz x0, #:abs_g0:far", "R_AARCH64_MOVW_UABS_G0"},
      Case{"movz x0, #:abs_g2_s:far", "R_AARCH64_MOVW_SABS_G2"},
      Case{"movz x0, #:prel_g1:far", "R_AARCH64_MOVW_PREL_G1"},
  };
  for (const Case& c : cases) {
    LinkedModule linked(compile_module(c.code));
    linked.kernel.exports["far"] = 0x7000'0000'0000'0000;
    const auto done = linked.link();
    ASSERT_FALSE(done) << c.code;
    EXPECT_EQ(done.error().status, -8);
    EXPECT_THAT(words(done),
                HasSubstr(fmt::format("{} at .text+0x0 against far overflows", c.relocation)));
  }
}

// Their twins that store low bits only take the same address.
TEST(Overflow, LowPartsTakeAnything) {
  LinkedModule linked(compile_module(R"(
    add x0, x0, :lo12:far
    ldrb w0, [x0, :lo12:far]
    movk x0, #:abs_g0_nc:far
    movz x0, #:abs_g3:far
    .quad far
  )"));
  linked.kernel.exports["far"] = 0x7000'0000'0000'0123;
  const auto done = linked.link();
  EXPECT_TRUE(done) << words(done);
}

// A symbol that nobody exports is refused by name, as a kernel does.
TEST(Imports, AnUnknownSymbolIsNamed) {
  LinkedModule linked(compile_module("bl no_such_function\n"));
  const auto done = linked.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(words(done), "Unknown symbol no_such_function");
  EXPECT_EQ(done.error().status, -2);
  EXPECT_EQ(done.error().step, Step::resolve_symbols);
}

// A weak one is 0 instead.
TEST(Imports, AWeakUnknownSymbolIsZero) {
  LinkedModule linked(compile_module(".weak maybe\n .quad maybe\n"));
  ASSERT_TRUE(linked.link());
  EXPECT_EQ(linked.word(".text", 0, 8), 0U);
}

// An earlier module's export serves; a symbol of it that is not exported does not.
TEST(Imports, AnEarlierModuleExports) {
  LinkedModule earlier(compile_module(R"(
    .globl shared
    shared: nop
    .globl hidden
    hidden: nop
    .section __ksymtab, "a"
    __ksymtab_shared: .quad 0
  )"));
  ASSERT_TRUE(earlier.link());
  earlier.module.state = ModuleState::live;
  for (const auto& [name, found] : {std::pair{"shared", true}, std::pair{"hidden", false}}) {
    LinkedModule user(compile_module(fmt::format(".quad {}\n", name)));
    const auto done = Linker(user.kernel, pkvm::Generation::android15_6_6,
                             std::span(&earlier.module, 1), user.module)
                          .link();
    EXPECT_EQ(done.has_value(), found) << name;
    if (done) EXPECT_EQ(user.word(".text", 0, 8), earlier.section(".text").address);
  }
}

// Common symbols are refused, as in a kernel.
TEST(Imports, CommonSymbolsAreRefused) {
  LinkedModule linked(compile_module(".comm shared, 8, 8\n"));
  const auto done = linked.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(words(done), "symbol shared is common: compile with -fno-common");
}

// A relocation type the loader does not know is refused with its number.
TEST(Relocations, AnUnknownTypeIsRefused) {
  LinkedModule linked(compile_module("adrp x0, :got:thing\n"));
  linked.kernel.exports["thing"] = FakeKernel::module_window;
  const auto done = linked.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(words(done), "unsupported relocation 311 at .text+0x0");
}

// A relocation whose place reaches beyond its section is refused; one that ends at its end is not.
TEST(Relocations, APlaceOutsideTheSectionIsRefused) {
  LinkedModule outside(compile_module(".reloc 2, R_AARCH64_ABS32, 0\n nop\n"));
  const auto done = outside.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(words(done), "relocation R_AARCH64_ABS32 at .text+0x2 is outside");
  LinkedModule inside(compile_module(".reloc 0, R_AARCH64_ABS32, 0\n nop\n"));
  EXPECT_TRUE(inside.link());
}

// Sections go to the memory of their kind, and .hyp sections start on pages.
TEST(Layout, SectionsGoToTheirKind) {
  LinkedModule linked(compile_module(R"(
    nop
    .section .rodata, "a"
    .quad 1
    .section .data, "aw"
    .quad 2
    .section .data..ro_after_init, "aw"
    .quad 3
    .section .init.text, "ax"
    nop
    .section .init.data, "aw"
    .quad 4
    .section .hyp.text, "ax"
    .balign 4096
    .skip 4096
    .section .hyp.bss, "aw", @nobits
    .balign 4096
    .skip 8192
    .section .comment, ""
    .asciz "not loaded"
  )"));
  ASSERT_TRUE(linked.link());
  const auto kind = [&](std::string_view name) -> std::optional<MemoryKind> {
    const std::uint64_t address = linked.section(name).address;
    for (const auto& area : linked.kernel.areas)
      if (address >= area.address.value && address - area.address.value < area.bytes.size())
        return area.kind;
    return std::nullopt;
  };
  EXPECT_EQ(kind(".text"), MemoryKind::text);
  EXPECT_EQ(kind(".hyp.text"), MemoryKind::text);
  EXPECT_EQ(kind(".rodata"), MemoryKind::rodata);
  EXPECT_EQ(kind(".data"), MemoryKind::data);
  EXPECT_EQ(kind(".hyp.bss"), MemoryKind::data);
  EXPECT_EQ(kind(image::this_module_section), MemoryKind::data);
  EXPECT_EQ(kind(".data..ro_after_init"), MemoryKind::ro_after_init);
  EXPECT_EQ(kind(".init.text"), MemoryKind::init_text);
  EXPECT_EQ(kind(".init.data"), MemoryKind::init_data);
  EXPECT_EQ(kind(".comment"), std::nullopt);
  EXPECT_EQ(kind(".modinfo"), std::nullopt);
  EXPECT_EQ(linked.section(".hyp.text").address % 4096, 0U);
  EXPECT_EQ(linked.section(".hyp.bss").address % 4096, 0U);
}

// A section of absurd size is a refusal, not an attempt.
TEST(Layout, AnAbsurdSizeIsRefused) {
  LinkedModule linked(
      compile_module(".section .bss.big, \"aw\", @nobits\n .skip 0x7fffffffffff\n"));
  const auto done = linked.link();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, -12);
  EXPECT_EQ(done.error().problem, Problem::no_memory);
}

}  // namespace
}  // namespace pkvmemu::kmod::test
