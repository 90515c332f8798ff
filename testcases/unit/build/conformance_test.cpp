// SPDX-License-Identifier: GPL-2.0-only
// How an EL2 image is produced, for each generation (pkvm-abi.md 2.1, 2.5, 2.6): what
// module_form_test.cpp does not look at.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "harness/conformance_row.h"
#include "harness/generation_printer.h"
#include "support.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

using pkvm::Generation;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Produced : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static Generation id() { return GetParam().id; }
  static void holds(std::string_view row) {
    pkvmemu::test::holds(row, id(), pkvmemu::test::HeldOn::machine);
  }
  static ObjectFile built(std::string_view name) {
    const std::string path =
        fmt::format("{}/modules/{}/{}.ko", PKVMEMU_BUILD_DIR, GetParam().kmi, name);
    return ObjectFile::parse(path, read_file(path).value()).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Produced, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

// The events that EL1 knows: writable data, aligned to 8.
TEST_P(Produced, EventsHaveTheirForm) {
  const ObjectFile module = built("descriptor_events");
  const Section* events = module.find_section("_hyp_events");
  if (id() == Generation::android14_6_1) {
    EXPECT_EQ(events, nullptr);
    return;
  }
  holds("2.2/events.form");
  ASSERT_NE(events, nullptr);
  EXPECT_EQ(events->type, static_cast<std::uint32_t>(SHT_PROGBITS));
  EXPECT_EQ(events->flags, static_cast<std::uint64_t>(SHF_ALLOC | SHF_WRITE));
  EXPECT_EQ(events->alignment, 8U);
}

// EL2 code has no stack protector, no tracing calls and no unwind data.
TEST_P(Produced, El2CodeHasNothingOfTheKernelsOwn) {
  holds("2.1/flags");
  holds("2.6/no_unwind_data");
  const ObjectFile module = built("descriptor_events");
  for (const Symbol& symbol : module.symbols()) {
    EXPECT_THAT(std::string(symbol.name), Not(HasSubstr("__stack_chk")));
    EXPECT_THAT(std::string(symbol.name), Not(HasSubstr("mcount")));
  }
  for (const Relocation& relocation : module.relocations())
    if (module.sections()[relocation.section].name.ends_with("eh_frame"))
      EXPECT_THAT(std::string(module.symbols()[relocation.symbol].name),
                  Not(StartsWith("__kvm_nvhe_")));
}

// BRKs of EL2 code are in the module's __bug_table.
TEST_P(Produced, BugTableNamesEl2Code) {
  holds("2.6/bug_table");
  const ObjectFile module = built("steps");
  const auto records = relocations_of(module, "__bug_table");
  EXPECT_TRUE(std::ranges::any_of(records, [&](const Relocation& relocation) {
    const Symbol& symbol = module.symbols()[relocation.symbol];
    return symbol.section < module.sections().size() &&
           module.sections()[symbol.section].name == ".hyp.text";
  }));
}

/// The smallest module, with one instruction at EL2 that has an address in it.
constexpr std::string_view smallest_el1 = R"(
#include <asm/kvm_pkvm_module.h>
#include <linux/module.h>
int kvm_nvhe_sym(demo_hyp_init)(const struct pkvm_module_ops *ops);
static int __init demo_init(void)
{
	return pkvm_load_el2_module(kvm_nvhe_sym(demo_hyp_init), NULL);
}
module_init(demo_init);
MODULE_LICENSE("GPL");
)";

class Unmovable : public BuilderTest, public testing::WithParamInterface<pkvm::GenerationInfo> {
 protected:
  ModuleSpec with_instruction(std::string_view instruction) {
    ModuleSpec specification = spec(smallest_el1, fmt::format(R"(
#include <asm/kvm_pkvm_module.h>
static int target;
int demo_hyp_init(const struct pkvm_module_ops *ops)
{{
	__asm__ volatile("{}" : : "S"(&target) : "x0");
	return target;
}}
)",
                                                              instruction));
    specification.generation = GetParam().id;
    return specification;
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Unmovable, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

// A relocation that a move to EL2 would break stops the build; relative ones need nothing.
TEST_P(Unmovable, TypesThatCannotMove) {
  pkvmemu::test::holds("2.5/refused_types", GetParam().id, pkvmemu::test::HeldOn::machine);
  EXPECT_THAT(build_error(with_instruction("movz x0, #:abs_g3:%0")),
              HasSubstr("R_AARCH64_MOVW_UABS_G3 (269)"));
  const ObjectFile module =
      build(with_instruction("adrp x0, %0\\n add x0, x0, :lo12:%0\\n ldr w0, [x0, :lo12:%0]"));
  EXPECT_EQ(module.find_section(".hyp.reloc")->size, 0U);
}

}  // namespace
}  // namespace pkvmemu::build
