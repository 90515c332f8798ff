// SPDX-License-Identifier: GPL-2.0-only
// EL2 halves that call those of other modules (pkvm-abi.md 2.7).
#include <gmock/gmock.h>

#include "pkvm/generation.h"
#include "support.h"

namespace pkvmemu::build {
namespace {

using pkvm::Generation;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

constexpr std::string_view call = R"(
#include <asm/kvm_pkvm_module.h>
int far_away(int number);
int demo_hyp_init(const struct pkvm_module_ops *ops) { return far_away(3); }
void demo_hvc(struct user_pt_regs *regs) {}
)";
constexpr std::uint32_t call26 = 283;

class ImportTest : public BuilderTest {
 protected:
  ModuleSpec importing(Generation generation) {
    ModuleSpec specification = demo(generation);
    specification.el2_sources = {source("call.c", call)};
    return specification;
  }
  static OtherModule exporter() { return {.name = "far", .exports = {"__kvm_nvhe_far_away"}}; }
};

// An EL2 half may call what a named module exports of its own: the import stays for the kernel, by
// a call and no jump, and the module becomes a dependency.
TEST_F(ImportTest, ACallIsLeftToTheKernel) {
  ModuleSpec specification = importing(Generation::android16_6_12);
  specification.others = {exporter()};
  const ObjectFile module = build(specification);
  EXPECT_THAT(strings_of(module, ".modinfo"), Contains(std::string("depends=far")));
  bool seen = false;
  for (const Relocation& own : relocations_of(module, ".hyp.text")) {
    if (module.symbols()[own.symbol].name != "__kvm_nvhe_far_away") continue;
    EXPECT_EQ(own.type, call26);
    seen = true;
  }
  EXPECT_TRUE(seen);
}

// A module that is only named may export anything.
TEST_F(ImportTest, ANameIsEnough) {
  ModuleSpec specification = importing(Generation::android16_6_12);
  specification.depends = {"far"};
  EXPECT_TRUE(build_module(specification));
}

// Without such a module it is what it always was: something that EL2 has not.
TEST_F(ImportTest, NobodyExportsIt) {
  EXPECT_THAT(build_error(importing(Generation::android16_6_12)),
              HasSubstr("refers to far_away, which no EL2 source defines"));
}

// Before android16-6.12 it is refused, with the module that it would have come from.
TEST_F(ImportTest, EarlierGenerationsCannot) {
  for (const Generation generation : {Generation::android14_6_1, Generation::android15_6_6}) {
    ModuleSpec specification = importing(generation);
    specification.others = {exporter()};
    EXPECT_THAT(build_error(specification),
                AllOf(HasSubstr("calls far_away of far"), HasSubstr("before android16-6.12")));
  }
}

}  // namespace
}  // namespace pkvmemu::build
