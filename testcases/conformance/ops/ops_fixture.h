// SPDX-License-Identifier: GPL-2.0-only
// A run of system.ko (testcases/modules/system) on one generation: the calls are collected first,
// made in one run on our machine and one under QEMU, and looked at afterwards.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "modules/system/operations.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {

using Numbers = std::initializer_list<std::uint64_t>;

/// An answer in x1 as the module's C saw it.
inline constexpr std::int64_t eperm = -1, e2big = -7, enomem = -12, ebusy = -16, einval = -22;
inline constexpr std::uint64_t not_supported = ~std::uint64_t{0};

class OpsRun : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  OpsRun();

  static pkvm::Generation id() { return GetParam().id; }
  static bool is(pkvm::Generation generation) { return id() == generation; }
  static bool is_since(pkvm::Generation generation) { return id() >= generation; }
  static std::string own(std::string_view module_name);
  /// The row holds on this generation, under QEMU as well.
  static void holds(std::string_view row) { test::holds(row, id()); }

  /// Another module, or a parameter of the kernel's command line.
  void load(std::string_view module_name);
  void parameter(std::string_view text);
  void option(std::string_view name, std::string_view value);

  // Each returns the number of its call, for x().
  std::size_t op(system_operation operation, Numbers arguments = {});
  std::size_t call(std::string_view target, Numbers arguments = {});
  std::size_t hvc(std::uint64_t x0, Numbers arguments = {});
  std::size_t smc(std::uint64_t x0, Numbers arguments = {});
  std::size_t psci(std::string_view name, Numbers arguments = {});
  /// A touch, whose answer is on the console.
  void touch(std::string_view text);

  /// Ours, and QEMU's, whose console has to be the same.
  void run();
  /// Ours, for what QEMU's EL3 does not do.
  void run_on_our_machine();
  std::uint64_t x(std::size_t call, std::size_t index) const;
  std::int64_t answer(std::size_t call) const { return static_cast<std::int64_t>(x(call, 1)); }
  const std::vector<std::string>& console() const { return run_.console; }
  const nlohmann::json& report() const { return run_.report; }
  int exit_code() const { return run_.process.exit_code; }
  /// Lines of the console with this text.
  std::size_t lines(std::string_view text) const { return lines_with(run_.console, text).size(); }

 private:
  Arguments all_arguments() const;
  std::size_t add(std::string_view option, std::string target, Numbers arguments);

  Arguments arguments_;
  std::string parameters_;
  std::size_t calls_ = 0;
  EmulatorRun run_;
};

/// Test names such as "android15_6_6".
std::string generation_name(const testing::TestParamInfo<pkvm::GenerationInfo>& instance);

}  // namespace pkvmemu::test
