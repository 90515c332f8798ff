// SPDX-License-Identifier: GPL-2.0-only
// What tests of the specification's rows share: each runs once for each generation, with that
// generation's modules, on our machine and, where nothing of ours is needed, under QEMU.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"

namespace pkvmemu::test {

/// A console without what differs between machines once something panics: registers, and every
/// number of more than three digits (addresses in our images and behind mappings of our own).
inline std::vector<std::string> shape_of(const std::vector<std::string>& lines) {
  static const std::regex number("(0x)?[0-9a-f]{4,}");
  static const std::regex small_offset("[+]0x[0-9a-f]+");
  std::vector<std::string> shape;
  for (const std::string& line : lines)
    if (!line.starts_with("host: x"))
      shape.push_back(
          std::regex_replace(std::regex_replace(line, small_offset, "+#"), number, "#"));
  return shape;
}

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
  /// Ours; QEMU has to end the same way, in a panic of the same shape.
  static EmulatorRun run_into_panic_on_both(const Arguments& arguments) {
    auto run = run_emulator(arguments);
    EXPECT_EQ(shape_of(run_qemu(arguments)), shape_of(run.console)) << "the second one is ours";
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
