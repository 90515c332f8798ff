// SPDX-License-Identifier: GPL-2.0-only
// The SDK's headers against the specification's tables (testcases/data/abi): a C source of
// assertions made from the tables compiles, and a table that is wrong does not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "pkvm/generation.h"
#include "support.h"
#include "unit/pkvm/abi_data.h"

namespace pkvmemu::build {
namespace {

using testing::HasSubstr;

/// How C says what a constant's name means; {} is the rest of the name.
struct ExpressionRow {
  std::string_view prefix;
  std::string_view expression;
};
constexpr std::array expression_rows = {
    ExpressionRow{"prot.PKVM_HOST_", "PKVM_HOST_{}"},
    ExpressionRow{"prot.PAGE_HYP", "PAGE_HYP{}"},
    ExpressionRow{"prot.", "KVM_PGTABLE_PROT_{}"},
    ExpressionRow{"psci.", "PKVM_PSCI_{}"},
    ExpressionRow{"user_pt_regs.size", "sizeof(struct user_pt_regs)"},
    ExpressionRow{"user_pt_regs.", "offsetof(struct user_pt_regs, {})"},
    ExpressionRow{"pkvm_sglist_page.size", "sizeof(struct pkvm_sglist_page)"},
    ExpressionRow{"el2_module.size", "sizeof(struct pkvm_el2_module)"},
    ExpressionRow{"el2_module.", "offsetof(struct pkvm_el2_module, {})"},
    ExpressionRow{"module.size", "sizeof(struct module)"},
    ExpressionRow{"module.arch_hyp", "offsetof(struct module, arch.hyp)"},
    ExpressionRow{"module.", "offsetof(struct module, {})"},
    ExpressionRow{"result.NOT_REQUIRED", ""},
    ExpressionRow{"result.INVALID_PARAMETER", ""},
    ExpressionRow{"result.", "SMCCC_RET_{}"},
    ExpressionRow{"id.base", "KVM_HOST_SMCCC_ID(0)"},
    ExpressionRow{"id.first_dynamic_id", "KVM_HOST_SMCCC_ID(128)"},
};

/// Empty when the SDK has no such thing.
std::string expression_of(std::string_view name) {
  for (const ExpressionRow& row : expression_rows)
    if (name.starts_with(row.prefix))
      return fmt::format(fmt::runtime(row.expression), name.substr(row.prefix.size()));
  return {};
}

std::string constant_assertions(const pkvm::GenerationInfo& generation) {
  std::string text;
  for (const std::string& line : pkvm::abi_lines("constants.txt")) {
    const pkvm::SpecifiedConstant row = pkvm::specified_constant(line);
    const std::string expression = expression_of(row.name);
    if (expression.empty() || (row.kmi != "*" && row.kmi != generation.kmi)) continue;
    text += fmt::format("static_assert({} == {});\n", expression, row.value);
  }
  return text;
}

std::string ops_assertions(const pkvm::SpecifiedOps& ops) {
  std::string text = fmt::format(
      "static_assert(sizeof(struct pkvm_module_ops) == {});\n"
      "#define SLOT(name) __typeof__(*((struct pkvm_module_ops *)0)->name)\n",
      8 * ops.total);
  for (const auto& [slot, op] : ops.slots) {
    text += fmt::format("static_assert(offsetof(struct pkvm_module_ops, {}) == {:#x});\n", op.name,
                        op.offset);
    // The list checks' convention is a part of their type.
    const bool slow_path = op.name.starts_with("list_");
    text += fmt::format(
        "typedef {0} want_{1} {2};\n"
        "static_assert(__builtin_types_compatible_p(SLOT({1}), want_{1}));\n",
        fmt::format("__typeof__({})", op.type), op.name,
        slow_path ? "__attribute__((preserve_most))" : "");
  }
  return text;
}

class SdkAbi : public BuilderTest, public testing::WithParamInterface<pkvm::Generation> {
 protected:
  /// Builds a module of nothing but `assertions`.
  Result<BuiltModule> check(const std::string& assertions) {
    ModuleSpec module = demo(GetParam());
    module.el1_sources.push_back(source("assertions.c", includes + assertions));
    return build_module(module);
  }

  static inline const std::string includes =
      "#include <linux/module.h>\n#include <asm/kvm_pkvm_module.h>\n";
};
INSTANTIATE_TEST_SUITE_P(Kmi, SdkAbi,
                         testing::Values(pkvm::Generation::android14_6_1,
                                         pkvm::Generation::android15_6_6,
                                         pkvm::Generation::android16_6_12),
                         [](const auto& parameter) { return kmi_test_name(parameter.param); });

// Each slot of the specification's table has its offset and its C type, and the table its size.
TEST_P(SdkAbi, OpsAreTheSpecifications) {
  pkvm::SpecifiedOps ops = pkvm::specified_ops(pkvm::info(GetParam()).kmi);
  ASSERT_GE(ops.slots.size(), 33U);
  const auto built = check(ops_assertions(ops));
  EXPECT_TRUE(built) << built.error().message;

  ops.slots.at(8).type = "void *(phys_addr_t phys, int size, enum kvm_pgtable_prot prot)";
  const auto wrong = check(ops_assertions(ops));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("static assertion failed"));
}

// Offsets of the structures, and values of the enumerations and macros that authors use.
TEST_P(SdkAbi, ConstantsAreTheSpecifications) {
  const std::string assertions = constant_assertions(pkvm::info(GetParam()));
  ASSERT_GT(assertions.size(), 1000U);
  const auto built = check(assertions);
  EXPECT_TRUE(built) << built.error().message;
  EXPECT_FALSE(check(assertions + "static_assert(KVM_PGTABLE_PROT_R == 2);\n"));
}

}  // namespace
}  // namespace pkvmemu::build
