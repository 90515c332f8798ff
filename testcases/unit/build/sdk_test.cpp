// SPDX-License-Identifier: GPL-2.0-only
// The SDK's headers: each stands alone at both levels (their own assertions check layouts), and the
// table of operations has the slots of the generation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "pkvm/generation.h"
#include "support.h"

namespace pkvmemu::build {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsSupersetOf;

std::vector<std::string> headers_below(const fs::path& root) {
  std::vector<std::string> headers;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root))
    if (entry.path().extension() == ".h")
      headers.push_back(fs::relative(entry.path(), root).string());
  return headers;
}

class SdkTest : public BuilderTest {};

class EveryGeneration : public BuilderTest, public testing::WithParamInterface<pkvm::Generation> {
 protected:
  ModuleSpec demo() {
    ModuleSpec specification = BuilderTest::demo(GetParam());
    specification.warnings = Warnings::fatal;
    return specification;
  }
};

// Every header can be the first one that a source includes, at EL1 and at EL2, without a warning:
// the generation's own, and the common ones with one generation.
TEST_P(EveryGeneration, HeadersStandAlone) {
  const fs::path sdk = PKVMEMU_SDK;
  std::vector<std::string> headers =
      headers_below(sdk / "kmi" / pkvm::info(GetParam()).kmi / "include");
  ASSERT_GE(headers.size(), 3);
  if (GetParam() == pkvm::Generation::android15_6_6) {
    const std::vector<std::string> common = headers_below(sdk / "include");
    ASSERT_GT(common.size(), 20);
    headers.insert(headers.end(), common.begin(), common.end());
  }

  ModuleSpec alone = demo();
  for (const std::string& header : headers) {
    const std::string name = "alone-" + std::to_string(alone.el1_sources.size()) + ".c";
    const fs::path path = source(name, "#include <" + header + ">\n");
    alone.el1_sources.push_back(path);
    alone.el2_sources.push_back(path);
  }
  const Result<BuiltModule> built = build_module(alone);
  EXPECT_TRUE(built) << built.error().message;
}

INSTANTIATE_TEST_SUITE_P(Kmi, EveryGeneration,
                         testing::Values(pkvm::Generation::android14_6_1,
                                         pkvm::Generation::android15_6_6,
                                         pkvm::Generation::android16_6_12),
                         [](const auto& parameter) { return kmi_test_name(parameter.param); });

// An offset that is wrong by one slot does not compile: the assertion of the table can fail.
TEST_F(SdkTest, WrongSlotDoesNotCompile) {
  const std::string check = "_Static_assert(__builtin_offsetof(struct pkvm_module_ops, puts) == ";
  EXPECT_TRUE(build_module(spec(demo_el1, std::string(demo_el2) + check + "0x28, \"\");\n")));
  EXPECT_THAT(build_error(spec(demo_el1, std::string(demo_el2) + check + "0x20, \"\");\n")),
              HasSubstr("static assertion failed"));
}

// A parameter becomes a record in __param that points to its name, its type and its variable.
TEST_F(SdkTest, ParametersAreRecords) {
  const ObjectFile module = build(spec(std::string(demo_el1) + R"(
static int level = 3;
module_param(level, int, 0444);
MODULE_PARM_DESC(level, "How much");
)",
                                       demo_el2));
  ASSERT_NE(module.find_section("__param"), nullptr);
  EXPECT_EQ(module.find_section("__param")->size, 40);
  std::vector<std::string> targets;
  for (const Relocation& pointer : relocations_of(module, "__param"))
    targets.emplace_back(module.symbols()[pointer.symbol].name);
  EXPECT_THAT(targets, IsSupersetOf({"param_ops_int", "__this_module"}));
  EXPECT_THAT(strings_of(module, ".modinfo"),
              IsSupersetOf({"parmtype=level:int", "parm=level:How much"}));
}

}  // namespace
}  // namespace pkvmemu::build
