// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/vendor/vendor_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>

#include "conformance/memory/page_scan.h"
#include "harness/in_process.h"

namespace pkvmemu::test {
namespace {

std::uint64_t number(const nlohmann::json& text) {
  return std::stoull(text.get<std::string>(), nullptr, 16);
}

tool::RcLine parsed(Result<tool::RcLine> line) {
  if (!line) throw std::invalid_argument(line.error().message);
  return std::move(*line);
}

std::string option_of(const tool::RcLine& wish) {
  switch (wish.verb) {
    case tool::RcVerb::call:
      return "--call";
    case tool::RcVerb::smc:
      return "--smc";
    default:
      return "--touch";
  }
}

bool is_call(const tool::RcLine& wish) {
  return wish.verb != tool::RcVerb::touch;
}

std::vector<std::uint64_t> with_first(std::int64_t first, const std::vector<std::uint64_t>& more) {
  std::vector<std::uint64_t> all{static_cast<std::uint64_t>(first)};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

VendorRun::VendorRun(const pkvm::GenerationInfo& generation,
                     const std::vector<std::string>& modules)
    : generation_(generation), modules_(modules) {}

std::string VendorRun::own(const std::string& name) const {
  return module(fmt::format("{}/{}", generation_.kmi, name));
}

void VendorRun::parameter(const std::string& text) {
  parameters_ += (parameters_.empty() ? "" : " ") + text;
}

void VendorRun::budget(const std::string& text) {
  budget_ = text;
}

void VendorRun::plan(const std::string& lines) {
  if (!plan_) plan_ = std::make_unique<ScratchDirectory>();
  std::ofstream(plan_->path() / "plan.yaml") << "faults:\n" << lines;
}

void VendorRun::call(const std::string& text, std::int64_t x1,
                     const std::vector<std::uint64_t>& more) {
  steps_.push_back({.wish = parsed(tool::parse_call(text)),
                    .text = text,
                    .first = 1,
                    .results = with_first(x1, more)});
}

void VendorRun::smc(const std::string& text, std::int64_t x0,
                    const std::vector<std::uint64_t>& more) {
  steps_.push_back(
      {.wish = parsed(tool::parse_smc(text)), .text = text, .results = with_first(x0, more)});
}

void VendorRun::ask(const std::string& text) {
  steps_.push_back({.wish = parsed(tool::parse_call(text)), .text = text, .compared = false});
}

void VendorRun::touch(const std::string& text, bool aborts, std::uint64_t value) {
  steps_.push_back(
      {.wish = parsed(tool::parse_touch(text)), .text = text, .aborts = aborts, .value = value});
}

void VendorRun::reads(std::uint64_t address, std::uint64_t value) {
  touch(fmt::format("r:{:#x}", address), false, value);
}
void VendorRun::writes(std::uint64_t address, std::uint64_t value) {
  touch(fmt::format("w:{:#x}={:#x}", address, value), false, value);
}
void VendorRun::cannot_read(std::uint64_t address) {
  touch(fmt::format("r:{:#x}", address), true, 0);
}
void VendorRun::cannot_write(std::uint64_t address) {
  touch(fmt::format("w:{:#x}=0xbad", address), true, 0);
}

Arguments VendorRun::arguments() const {
  Arguments all;
  for (const std::string& name : modules_)
    all.push_back(own(name));
  for (const Step& step : steps_)
    all.insert(all.end(), {option_of(step.wish), step.text});
  if (!parameters_.empty()) all.insert(all.end(), {"--cmdline", parameters_});
  if (plan_) all.insert(all.end(), {"--plan", plan_->path() / "plan.yaml"});
  if (!budget_.empty()) all.insert(all.end(), {"--budget", budget_});
  return all;
}

void VendorRun::run(int exit_code, On on) {
  run_ = run_emulator(arguments());
  ASSERT_EQ(run_.process.exit_code, exit_code) << run_.process.out << run_.process.err;
  if (exit_code == 0) compare();
  if (on == On::both) EXPECT_EQ(run_qemu(arguments()), run_.console) << "the second one is ours";
}

void VendorRun::compare() const {
  const auto& calls = run_.report.at("calls");
  const auto& touches = run_.report.at("touches");
  std::size_t next_call = 0;
  std::size_t next_touch = 0;
  for (const Step& step : steps_) {
    const auto& report = is_call(step.wish) ? calls.at(next_call++) : touches.at(next_touch++);
    if (!step.compared) continue;
    SCOPED_TRACE(fmt::format("{}: {}", step.text, report.dump()));
    if (is_call(step.wish)) {
      for (std::size_t i = 0; i < step.results.size(); ++i)
        EXPECT_EQ(static_cast<std::int64_t>(number(report.at("result").at(step.first + i))),
                  static_cast<std::int64_t>(step.results[i]))
            << "x" << step.first + i;
      continue;
    }
    EXPECT_EQ(report.at("state"), step.aborts ? "aborted" : "done");
    if (!step.aborts && step.text.starts_with('r') && report.at("state") == "done")
      EXPECT_EQ(number(report.at("value")), step.value);
  }
}

Ownership VendorRun::ownership() const {
  tool::RunOptions options;
  for (const std::string& name : modules_)
    options.modules.push_back(own(name));
  if (std::ranges::find(modules_, "memory") == modules_.end())
    options.modules.insert(options.modules.begin(), own("memory"));
  options.cmdline = parameters_;
  options.wishes = PageScan::first_calls();
  for (const Step& step : steps_)
    options.wishes.push_back(step.wish);
  // What is the host's but was never used may not be mapped yet.
  for (std::uint64_t frame = first_frame; frame < first_frame + frames; ++frame)
    options.wishes.push_back(parsed(tool::parse_touch(fmt::format("r:{:#x}", address_of(frame)))));

  const auto machine = boot_in_process(options);
  const machine::Exit exit = machine->run();
  if (exit.reason != machine::ExitReason::powered_off)
    throw std::runtime_error("the run did not end by itself");
  const PageScan scan(*machine);
  Ownership found{.not_the_hosts = {}, .of_both = scan.frames_of_both()};
  for (std::uint64_t frame = first_frame; frame < first_frame + frames; ++frame)
    if (!scan.host_may(Pa{address_of(frame)}, mmu::AccessKind::read))
      found.not_the_hosts.push_back(frame);
  return found;
}

}  // namespace pkvmemu::test
