// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/memory/script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <utility>

namespace pkvmemu::test {
namespace {

std::uint64_t number(const nlohmann::json& text) {
  return std::stoull(text.get<std::string>(), nullptr, 16);
}

constexpr std::uint64_t offset_mask = 0xfff;

/// The address in "w:0x50000000=0x1".
std::uint64_t address_in(const std::string& touch) {
  return std::stoull(touch.substr(2), nullptr, 16);
}

}  // namespace

std::string read_of(std::uint64_t address) {
  return fmt::format("r:{:#x}", address);
}
std::string write_of(std::uint64_t address, std::uint64_t value) {
  return fmt::format("w:{:#x}={:#x}", address, value);
}
std::string fetch_of(std::uint64_t address) {
  return fmt::format("x:{:#x}", address);
}

std::size_t Script::add(memory_operation operation, const Values& arguments, bool compared,
                        std::int64_t code) {
  std::string text = fmt::format("memory_hvc:{}", static_cast<int>(operation));
  for (const std::uint64_t argument : arguments)
    text += fmt::format(",{:#x}", argument);
  options_.insert(options_.end(), {"--call", phase_ == Phase::early ? "early " + text : text});
  calls_.push_back({.text = text, .compared = compared, .code = code});
  return calls_.size() - 1;
}

std::size_t Script::expect(memory_operation operation, const Values& arguments, std::int64_t code) {
  return add(operation, arguments, true, code);
}

std::size_t Script::ask(memory_operation operation, const Values& arguments) {
  return add(operation, arguments, false, 0);
}

void Script::add(Touch touch) {
  options_.insert(options_.end(),
                  {"--touch", phase_ == Phase::early ? "early " + touch.text : touch.text});
  touches_.push_back(std::move(touch));
}

void Script::expect_done(const std::string& touch) {
  add(Touch{.text = touch, .aborts = false, .compared = false, .value = 0});
}

void Script::expect_read(std::uint64_t address, std::uint64_t value) {
  add(Touch{.text = read_of(address), .aborts = false, .compared = true, .value = value});
}

void Script::expect_abort(const std::string& touch, std::uint64_t esr) {
  add(Touch{.text = touch, .aborts = true, .compared = true, .value = esr});
}

Arguments Script::arguments() const {
  Arguments all{module(fmt::format("{}/memory", generation_.kmi))};
  all.insert(all.end(), options_.begin(), options_.end());
  return all;
}

void Script::run(On on) {
  run_ = run_emulator(arguments());
  ASSERT_EQ(run_.process.exit_code, 0) << run_.process.out << run_.process.err;
  compare();
  if (on == On::both) EXPECT_EQ(run_qemu(arguments()), run_.console) << "the second one is ours";
}

void Script::run_to_panic() {
  run_ = run_emulator(arguments());
  EXPECT_EQ(run_.process.exit_code, 12) << run_.process.out << run_.process.err;
  EXPECT_EQ(run_qemu(arguments()), run_.console) << "the second one is ours";
}

std::uint64_t Script::result(std::size_t index, std::size_t n) const {
  return number(run_.report.at("calls").at(index).at("result").at(n));
}

void Script::compare() const {
  ASSERT_EQ(run_.report.at("calls").size(), calls_.size());
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!calls_[i].compared) continue;
    EXPECT_EQ(static_cast<std::int64_t>(result(i, 1)), calls_[i].code)
        << "call " << i << ": " << calls_[i].text;
  }
  ASSERT_EQ(run_.report.at("touches").size(), touches_.size());
  for (std::size_t i = 0; i < touches_.size(); ++i)
    compare(touches_[i], run_.report.at("touches").at(i));
}

void Script::compare(const Touch& touch, const nlohmann::json& report) const {
  SCOPED_TRACE(fmt::format("touch {}: {}", touch.text, report.dump()));
  ASSERT_EQ(report.at("state"), touch.aborts ? "aborted" : "done");
  if (!touch.compared) return;
  EXPECT_EQ(number(report.at(touch.aborts ? "esr" : "value")), touch.value);
  if (touch.aborts)
    EXPECT_EQ(number(report.at("far")) & offset_mask, address_in(touch.text) & offset_mask);
}

}  // namespace pkvmemu::test
