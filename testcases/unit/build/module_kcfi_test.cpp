// SPDX-License-Identifier: GPL-2.0-only
// kCFI of built modules: the hash before each function that pKVM or the kernel calls, in every
// flavour and generation (pkvm-abi.md 1.8). A hash is the low half of xxHash64 of the mangled type,
// as "_ZTSFvP12user_pt_regsE"; with normalised integers ".normalized" follows and int is u3i32.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "build/kmi.h"
#include "harness/conformance_row.h"
#include "pkvm/generation.h"
#include "support.h"

namespace pkvmemu::build {
namespace {

using pkvm::Generation;

constexpr std::array generations = {Generation::android14_6_1, Generation::android15_6_6,
                                    Generation::android16_6_12};

/// A function's hash in both flavours.
struct Hashes {
  std::uint32_t plain;
  std::uint32_t normalised;
};
constexpr Hashes el1_init{.plain = 0x36b1c5a6, .normalised = 0x6fbb3035};  // int (void)
constexpr Hashes el2_init{.plain = 0xc382d712, .normalised = 0xf175f853};  // int (const ops *)
/// void (struct kvm_cpu_context *) in 6.1, void (struct user_pt_regs *) later.
constexpr std::array<Hashes, pkvm::generation_count> handlers = {
    {{.plain = 0x0b81a1cd, .normalised = 0xb92115eb},
     {.plain = 0xe76381d2, .normalised = 0x878c2790},
     {.plain = 0xe76381d2, .normalised = 0x878c2790}}};

/// How each generation's kernel builds the two halves.
struct OwnFlavours {
  Cfi el1;
  Cfi el2;
};
constexpr std::array<OwnFlavours, pkvm::generation_count> own_flavours = {
    {{.el1 = Cfi::plain, .el2 = Cfi::off},
     {.el1 = Cfi::plain, .el2 = Cfi::plain},
     {.el1 = Cfi::normalised, .el2 = Cfi::normalised}}};

std::string name_of(Cfi cfi) {
  constexpr std::array names = {"off", "plain", "normalised"};
  return names.at(static_cast<std::size_t>(cfi));
}

class Kcfi : public BuilderTest {
 protected:
  ObjectFile built(Generation generation, std::optional<Cfi> cfi) {
    ModuleSpec specification = demo(generation);
    specification.cfi = cfi;
    return build(specification);
  }

  /// The function has the flavour's hash, or is the first thing in its section.
  static void expect(const ObjectFile& module, const std::string& function, const Hashes& hashes,
                     Cfi flavour) {
    if (flavour == Cfi::off) {
      EXPECT_EQ(module.find_defined_symbol(function)->value, 0) << function;
      return;
    }
    EXPECT_EQ(word_before(module, function),
              flavour == Cfi::plain ? hashes.plain : hashes.normalised)
        << function;
  }
  static void expect_el1(const ObjectFile& module, Cfi flavour) {
    expect(module, "init_module", el1_init, flavour);
  }
  static void expect_el2(const ObjectFile& module, Generation generation, Cfi flavour) {
    expect(module, "__kvm_nvhe_demo_hvc", handlers.at(static_cast<std::size_t>(generation)),
           flavour);
    // Without hashes it follows the handler at once.
    if (flavour != Cfi::off) expect(module, "__kvm_nvhe_demo_hyp_init", el2_init, flavour);
  }
};

class KcfiOfAGeneration : public Kcfi, public testing::WithParamInterface<Generation> {};
INSTANTIATE_TEST_SUITE_P(Kmi, KcfiOfAGeneration, testing::ValuesIn(generations),
                         [](const auto& each) { return kmi_test_name(each.param); });

// Without --cfi each half has what its generation's kernel builds it with; 6.1 leaves it out at
// EL2.
TEST_P(KcfiOfAGeneration, IsTheGenerationsOwn) {
  test::holds("1.8/kcfi-of-the-build", GetParam(), test::HeldOn::machine);
  const ObjectFile module = built(GetParam(), std::nullopt);
  const OwnFlavours& own = own_flavours.at(static_cast<std::size_t>(GetParam()));
  expect_el1(module, own.el1);
  expect_el2(module, GetParam(), own.el2);
}

class KcfiFlavour : public Kcfi, public testing::WithParamInterface<std::tuple<Generation, Cfi>> {};
INSTANTIATE_TEST_SUITE_P(Kmi, KcfiFlavour,
                         testing::Combine(testing::ValuesIn(generations),
                                          testing::Values(Cfi::off, Cfi::plain, Cfi::normalised)),
                         [](const auto& each) {
                           return kmi_test_name(std::get<0>(each.param)) + "_" +
                                  name_of(std::get<1>(each.param));
                         });

// --cfi decides for both halves, whatever the generation.
TEST_P(KcfiFlavour, IsTheChosenOne) {
  const auto& [generation, flavour] = GetParam();
  const ObjectFile module = built(generation, flavour);
  expect_el1(module, flavour);
  expect_el2(module, generation, flavour);
}

}  // namespace
}  // namespace pkvmemu::build
