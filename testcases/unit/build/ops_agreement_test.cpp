// SPDX-License-Identifier: GPL-2.0-only
// A module calls through the SDK's struct pkvm_module_ops, which C compiles with the SDK's types,
// and lands in the firmware's table, which C++ compiles with those of firmware/hyp/abi_types.h.
// Both come from include/pkvm/ops.def; types are compared by their kCFI hashes, in both flavours.
// What the description itself says is held against the specification, by slot and C type.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "build/process.h"
#include "pkvm/generation.h"
#include "support.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

struct Op {
  std::string_view name;
  std::string_view returns;
  std::string_view parameters;
  std::array<int, pkvm::generation_count> slot;
};

// clang-format off
#define PKVM_OP(name, variant, returns, parameters, ...) {#name, #returns, #parameters, {__VA_ARGS__}},
// clang-format on
constexpr Op ops[] = {
#include "pkvm/ops.def"
};

using Hashes = std::map<std::string, std::uint64_t>;

/// Hashes of the functions whose address the object takes; clang leaves one symbol for each.
Hashes hashes_of(const ObjectFile& object) {
  constexpr std::string_view prefix = "__kcfi_typeid_slot_";
  Hashes hashes;
  for (const Symbol& symbol : object.symbols())
    if (symbol.name.starts_with(prefix))
      hashes.emplace(symbol.name.substr(prefix.size()), symbol.value);
  return hashes;
}

class OpsAgreement : public BuilderTest,
                     public testing::WithParamInterface<std::tuple<pkvm::Generation, Cfi>> {
 protected:
  [[nodiscard]] static int slot_of(const Op& op) {
    return op.slot[static_cast<std::size_t>(std::get<0>(GetParam()))];
  }

  /// As the SDK has it: one function with the type of each slot, at the slot that ops.def says.
  Hashes sdk_hashes() {
    std::string text = "#include <asm/kvm_pkvm_module.h>\n";
    for (const Op& op : ops) {
      if (slot_of(op) < 0) continue;
      text += fmt::format(
          "extern __typeof__(*((struct pkvm_module_ops *)0)->{0}) slot_{0};\n"
          "void *address_{0} = (void *)slot_{0};\n"
          "static_assert(offsetof(struct pkvm_module_ops, {0}) == 8 * {1});\n",
          op.name, slot_of(op));
    }
    ModuleSpec sdk = spec(text, demo_el2);
    sdk.el2_sources.clear();
    sdk.generation = std::get<0>(GetParam());
    sdk.cfi = std::get<1>(GetParam());
    return hashes_of(build(sdk));
  }

  /// As the firmware has it.
  Hashes firmware_hashes() {
    std::string text = "#include \"hyp/abi_types.h\"\nextern \"C\" {\n";
    for (const Op& op : ops) {
      if (slot_of(op) < 0) continue;
      text += fmt::format("{1} slot_{0}{2};\nvoid *address_{0} = (void *)slot_{0};\n", op.name,
                          op.returns, op.parameters);
    }
    source("firmware.cpp", text + "}\n");
    Arguments arguments{"clang++-19",      "--target=aarch64-linux-gnu",
                        "-ffreestanding",  "-std=c++23",
                        "-fsanitize=kcfi", fmt::format("-I{}", PKVMEMU_FIRMWARE)};
    if (std::get<1>(GetParam()) == Cfi::normalised)
      arguments.emplace_back("-fsanitize-cfi-icall-experimental-normalize-integers");
    arguments.insert(arguments.end(), {"-c", "firmware.cpp", "-o", "firmware.o"});
    const ProcessResult compiled = run_process(arguments, directory_.path()).value();
    EXPECT_EQ(compiled.exit_code, 0) << compiled.output;
    return hashes_of(
        ObjectFile::parse("firmware.o", read_file(directory_.path() / "firmware.o").value())
            .value());
  }
};

// Each operation has the same slot and the same type on both sides.
TEST_P(OpsAgreement, SlotsAndTypesAreTheFirmwares) {
  const Hashes firmware = firmware_hashes();
  EXPECT_GT(firmware.size(), 30);
  EXPECT_EQ(sdk_hashes(), firmware);
}

// The comparison tells types apart: two operations of different types have different hashes.
TEST_P(OpsAgreement, DifferentTypesDiffer) {
  const Hashes firmware = firmware_hashes();
  EXPECT_NE(firmware.at("puts"), firmware.at("putx64"));
  EXPECT_EQ(firmware.at("host_share_hyp"), firmware.at("host_unshare_hyp"));
}

std::string parameter_name(
    const testing::TestParamInfo<std::tuple<pkvm::Generation, Cfi>>& parameter) {
  const bool plain = std::get<1>(parameter.param) == Cfi::plain;
  return kmi_test_name(std::get<0>(parameter.param)) + (plain ? "_plain" : "_normalised");
}

INSTANTIATE_TEST_SUITE_P(Kmi, OpsAgreement,
                         testing::Combine(testing::Values(pkvm::Generation::android14_6_1,
                                                          pkvm::Generation::android15_6_6,
                                                          pkvm::Generation::android16_6_12),
                                          testing::Values(Cfi::plain, Cfi::normalised)),
                         parameter_name);

}  // namespace
}  // namespace pkvmemu::build
