// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/ops/ops_fixture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pkvmemu::test {

OpsRun::OpsRun() {
  load("system");
}

std::string OpsRun::own(std::string_view module_name) {
  return module(fmt::format("{}/{}", GetParam().kmi, module_name));
}

void OpsRun::load(std::string_view module_name) {
  arguments_.push_back(own(module_name));
}

void OpsRun::parameter(std::string_view text) {
  parameters_ += parameters_.empty() ? "" : " ";
  parameters_ += text;
}

void OpsRun::option(std::string_view name, std::string_view value) {
  arguments_.emplace_back(name);
  arguments_.emplace_back(value);
}

std::size_t OpsRun::add(std::string_view option, std::string target, Numbers arguments) {
  if (arguments.size() != 0) target += fmt::format(":{:#x}", fmt::join(arguments, ","));
  arguments_.emplace_back(option);
  arguments_.push_back(std::move(target));
  return calls_++;
}

std::size_t OpsRun::op(system_operation operation, Numbers arguments) {
  std::string target = fmt::format("system_hvc:{}", static_cast<int>(operation));
  for (const std::uint64_t argument : arguments)
    target += fmt::format(",{:#x}", argument);
  return add("--call", std::move(target), {});
}

std::size_t OpsRun::call(std::string_view target, Numbers arguments) {
  return add("--call", std::string(target), arguments);
}

std::size_t OpsRun::hvc(std::uint64_t x0, Numbers arguments) {
  return add("--hvc", fmt::format("{:#x}", x0), arguments);
}

std::size_t OpsRun::smc(std::uint64_t x0, Numbers arguments) {
  return add("--smc", fmt::format("{:#x}", x0), arguments);
}

std::size_t OpsRun::psci(std::string_view name, Numbers arguments) {
  return add("--psci", std::string(name), arguments);
}

void OpsRun::touch(std::string_view text) {
  arguments_.insert(arguments_.end(), {"--touch", std::string(text)});
}

Arguments OpsRun::all_arguments() const {
  Arguments arguments = arguments_;
  if (!parameters_.empty()) arguments.insert(arguments.end(), {"--cmdline", parameters_});
  return arguments;
}

void OpsRun::run_on_our_machine() {
  run_ = run_emulator(all_arguments());
  ASSERT_FALSE(run_.report.is_null()) << run_.process.out << run_.process.err;
}

void OpsRun::run() {
  run_on_our_machine();
  if (run_.report.is_null()) return;
  EXPECT_EQ(run_qemu(all_arguments()), run_.console) << "the second one is ours";
}

std::uint64_t OpsRun::x(std::size_t call, std::size_t index) const {
  const nlohmann::json& result = run_.report.at("calls").at(call).at("result");
  if (result.is_null()) throw std::runtime_error("call " + std::to_string(call) + " not answered");
  return std::stoull(result.at(index).get<std::string>(), nullptr, 16);
}

std::string generation_name(const testing::TestParamInfo<pkvm::GenerationInfo>& instance) {
  std::string name(instance.param.kmi);
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

}  // namespace pkvmemu::test
