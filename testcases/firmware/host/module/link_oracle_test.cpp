// SPDX-License-Identifier: GPL-2.0-only
// Our linker against ld.lld: the same object, the same addresses, the same bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "linked_module.h"

namespace pkvmemu::kmod::test {
namespace {

/// Kernel symbols near enough for branches and for ADR.
constexpr std::uint64_t near_kernel = FakeKernel::module_window - 0x8'0000;

std::string words(const LoadError& error) {
  std::array<char, 256> buffer{};
  return std::string(describe(error, buffer));
}

std::set<std::uint32_t> relocation_types(const image::ElfFile& elf) {
  std::set<std::uint32_t> types;
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto section = elf.section(i);
    if (!section || section->header.type != image::elf::section_rela) continue;
    for (std::uint32_t n = 0; n < image::ElfFile::rela_count(*section); ++n)
      types.insert(image::ElfFile::rela(*section, n)->type());
  }
  return types;
}

void link_and_compare(Bytes file) {
  LinkedModule linked(std::move(file));
  linked.kernel.resolve_all_from = near_kernel;
  const auto done = linked.link();
  ASSERT_TRUE(done) << words(done.error());
  expect_same_as_lld(linked);
}

// Every relocation of the table, from one assembly file, gives lld's bytes.
TEST(LinkOracle, EveryRelocationType) {
  constexpr std::string_view body = R"(
    .globl local
  local:
    nop
    bl imported
    b imported_too
    bl other_section
    b.eq local
    cbz x0, .Lnear
    tbz x0, #3, .Lnear
    .reloc ., R_AARCH64_CONDBR19, other_section
    b.ne .
    .reloc ., R_AARCH64_TSTBR14, other_section
    tbnz x1, #40, .
    .reloc ., R_AARCH64_JUMP26, other_section + 8
    b .
    .reloc ., R_AARCH64_LD_PREL_LO19, constants
    ldr x2, .
    .reloc ., R_AARCH64_ADR_PREL_LO21, constants + 3
    adr x3, .
    adrp x4, constants
    add x4, x4, :lo12:constants
    .reloc ., R_AARCH64_ADR_PREL_PG_HI21_NC, imported
    adrp x5, .
    ldrb w6, [x4, :lo12:constants + 5]
    ldrh w6, [x4, :lo12:constants + 6]
    ldr w6, [x4, :lo12:constants + 4]
    ldr x6, [x4, :lo12:constants + 8]
    .reloc ., R_AARCH64_LDST128_ABS_LO12_NC, constants
    .inst 0x3dc00087            // ldr q7, [x4]
    movz x8, #:abs_g3:constants
    movk x8, #:abs_g2_nc:constants
    movk x8, #:abs_g1_nc:constants
    movk x8, #:abs_g0_nc:constants
    movz x9, #:abs_g0:small
    movz x9, #:abs_g1:medium
    movz x9, #:abs_g2:large
    movz x10, #:abs_g0_s:small
    movz x10, #:abs_g1_s:medium
    movz x10, #:abs_g2_s:large
    movz x10, #:abs_g0_s:negative
    movz x10, #:abs_g1_s:negative
    movz x10, #:abs_g2_s:negative
    .reloc ., R_AARCH64_MOVW_PREL_G0, local
    movz x11, #0
    .reloc ., R_AARCH64_MOVW_PREL_G0, .Lnear
    movz x11, #0
    .reloc ., R_AARCH64_MOVW_PREL_G1, imported
    movz x11, #0, lsl #16
    .reloc ., R_AARCH64_MOVW_PREL_G2, imported
    movz x11, #0, lsl #32
    .reloc ., R_AARCH64_MOVW_PREL_G3, .Lnear
    movz x11, #0, lsl #48
    .reloc ., R_AARCH64_MOVW_PREL_G0_NC, imported
    movk x11, #0
    .reloc ., R_AARCH64_MOVW_PREL_G1_NC, imported
    movk x11, #0, lsl #16
    .reloc ., R_AARCH64_MOVW_PREL_G2_NC, imported
    movk x11, #0, lsl #32
    .reloc ., R_AARCH64_NONE, imported
    nop
  .Lnear:
    ret

    .section .text.other, "ax"
  other_section:
    nop
    nop
    bl local
    b .text
    ret

    .section .rodata, "a"
    .balign 16
  constants:
    .quad local, imported + 24, constants - 8
    .word small, medium, 0x55aa
    .hword small, small + 7
    .balign 16
  places:
    .quad local - .
    .word imported - .
    .word constants + 4 - .
    .reloc ., R_AARCH64_PLT32, imported
    .word 0
    .reloc ., R_AARCH64_PREL16, places
    .hword 0

)";
  LinkedModule linked(compile_module(body));
  const auto types = relocation_types(linked.module.file.elf());
  for (const image::RelocRow& row : image::reloc_rows)
    EXPECT_TRUE(types.contains(row.type) || row.name == "R_AARCH64_NONE")
        << row.name << " is not in the assembly";
  linked.kernel.exports = {{"small", 0x1234},
                           {"medium", 0x1234'5678},
                           {"large", 0x1234'5678'9abc},
                           {"negative", ~std::uint64_t{0x1234}}};
  linked.kernel.resolve_all_from = near_kernel;
  const auto done = linked.link();
  ASSERT_TRUE(done) << words(done.error());
  expect_same_as_lld(linked);
}

constexpr std::string_view c_source = R"(
  extern int printk(const char *format, ...);
  extern unsigned long counters[8];
  extern void (*hook)(int);
  static int state;
  static const char *const names[] = {"one", "two", "three"};
  struct ops { int (*run)(int); const char *name; void *self; };
  static int run(int n) { return state += n; }
  struct ops table = {run, "table", &table};
  __attribute__((section(".init.text"))) int init_module(void) {
    printk("%s %d\n", names[state & 1], run(3));
    return (int)counters[state & 7];
  }
  __attribute__((noinline)) int walk(const struct ops *o, int n) {
    for (int i = 0; i < n; ++i) { if (o->run(i) > 3) hook(i); counters[i & 7] += i; }
    return n;
  }
  int all(void) { return walk(&table, 12) + init_module(); }
  char section_info[] __attribute__((section(".modinfo"))) = "vermagic=6.6.77 SMP";
  char own[1536] __attribute__((section(".gnu.linkonce.this_module"))) = {0};
)";

// C as a compiler emits it, with and without the large code model, gives lld's bytes.
class LinkOracleC : public testing::TestWithParam<std::vector<std::string>> {};
TEST_P(LinkOracleC, GivesTheBytesOfLld) {
  link_and_compare(compile(c_source, "c", GetParam()));
}
INSTANTIATE_TEST_SUITE_P(CodeModels, LinkOracleC,
                         testing::Values(std::vector<std::string>{},
                                         std::vector<std::string>{"-mcmodel=large"},
                                         std::vector<std::string>{"-mcmodel=tiny"},
                                         std::vector<std::string>{"-O0"},
                                         std::vector<std::string>{"-fsanitize=kcfi"}));

// Every sample module, before .hyp.reloc is applied, gives lld's bytes.
class LinkOracleSample : public testing::TestWithParam<std::filesystem::path> {};
TEST_P(LinkOracleSample, GivesTheBytesOfLld) {
  auto file = read_file(GetParam());
  ASSERT_TRUE(file) << file.error().message;
  link_and_compare(std::move(*file));
}
INSTANTIATE_TEST_SUITE_P(Samples, LinkOracleSample, testing::ValuesIn(sample_modules()),
                         [](const auto& info) { return info.param.stem().string(); });

// The samples are there: a build without them would compare nothing.
TEST(LinkOracle, SamplesExist) {
  const auto paths = sample_modules();
  for (const std::string_view name : {"hello.ko", "counter.ko", "initfail.ko"})
    EXPECT_TRUE(std::ranges::any_of(paths, [&](const auto& p) { return p.filename() == name; }))
        << name;
}

// The comparison itself notices one wrong bit.
TEST(LinkOracle, NoticesAWrongByte) {
  LinkedModule linked(compile_module("bl imported\n"));
  linked.kernel.resolve_all_from = near_kernel;
  ASSERT_TRUE(linked.link());
  const auto theirs = link_with_lld(linked);
  const auto text = linked.module.file.elf().find_section(".text");
  ASSERT_TRUE(text);
  linked.section(".text").bytes[0] ^= std::byte{1};
  EXPECT_NE(linked.section(".text").bytes[0], theirs.at(text->index)[0]);
}

}  // namespace
}  // namespace pkvmemu::kmod::test
