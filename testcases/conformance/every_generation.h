// SPDX-License-Identifier: GPL-2.0-only
// What tests of the specification's rows share: each runs once for each generation, with that
// generation's modules, on our machine and, where nothing of ours is needed, under QEMU.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"

namespace pkvmemu::test {

class GenerationTest : public testing::TestWithParam<pkvm::GenerationInfo> {
 public:
  static pkvm::Generation id() { return GetParam().id; }

 protected:
  /// This generation's build of a test module.
  static std::string own(std::string_view name) {
    return module(fmt::format("{}/{}", GetParam().kmi, name));
  }
  /// Ours; the same files under QEMU have to print the same console.
  static EmulatorRun run_on_both(const Arguments& arguments) {
    auto run = run_emulator(arguments);
    EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
    return run;
  }
  static std::uint64_t number(pkvm::Hypercall call) {
    return pkvm::hypercall_number(id(), call).value();
  }
  static std::string x(const EmulatorRun& run, std::size_t call, std::size_t index) {
    return run.report.at("calls").at(call).at("result").at(index).get<std::string>();
  }
  static bool exists_since(pkvm::Generation since) { return id() >= since; }
};

/// For INSTANTIATE_TEST_SUITE_P(Generations, SUITE, testing::ValuesIn(pkvm::generations), ...).
inline constexpr auto generation_slug = [](const auto& instance) {
  return slug_of(instance.param);
};

/// The word behind `key` in the first line that starts with it, as a hexadecimal number.
inline std::optional<std::uint64_t> number_after(const std::vector<std::string>& lines,
                                                 std::string_view key) {
  for (const std::string& line : lines)
    if (line.starts_with(key)) return std::stoull(line.substr(key.size()), nullptr, 16);
  return std::nullopt;
}

}  // namespace pkvmemu::test
