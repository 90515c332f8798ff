// SPDX-License-Identifier: GPL-2.0-only
// A sweep small enough to say of each line of a report whether it is right.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "campaign/record.h"

namespace pkvmemu::test {

/// What guests, files and symbols may be made of to spoil a report.
inline const std::string hostile =
    "<b>&\"'</script>]]>\x1b[31m\x07\xff \xe2\x80\xae# \\ -- \xc2\x9b \xef\xbf\xbf";

inline campaign::FaultRecord fault_at(std::string site, std::uint64_t nth, std::int64_t answer) {
  campaign::FaultRecord fault;
  fault.site = std::move(site);
  fault.meaning = "a step of " + fault.site;
  fault.nth = nth;
  fault.answer = answer;
  fault.path = {"callee+0x10 [hyp]", "caller+0x4 [host]"};
  return fault;
}

inline campaign::CaseRecord case_of(campaign::Outcome outcome, campaign::FaultRecord fault,
                                    std::string why) {
  campaign::CaseRecord record;
  record.id = fault.site + ":nth=" + std::to_string(fault.nth);
  record.outcome = outcome;
  record.why = std::move(why);
  record.faults = {std::move(fault)};
  return record;
}

inline campaign::SweepResult small_sweep() {
  campaign::SweepResult result;
  result.sweep.fingerprint = "f1";
  result.sweep.modules = {"hello.ko"};
  result.sweep.generation = "android15-6.6";
  result.sweep.mode = "once";
  result.sweep.replay = {"pkvm-emu", "sweep", "my hello.ko"};
  result.sweep.occurrences = {{"a.give", 3}, {"b.take", 1}};
  result.sweep.meanings = {{"a.give", "gives"}, {"b.take", "takes"}, {"c.never", "never comes"}};
  return result;
}

/// Three good cases.
inline campaign::SweepResult good_sweep() {
  using campaign::Outcome;
  campaign::SweepResult result = small_sweep();
  result.cases = {case_of(Outcome::expected_error, fault_at("a.give", 1, -12), "not loaded"),
                  case_of(Outcome::expected_error, fault_at("a.give", 2, -12), "not loaded"),
                  case_of(Outcome::clean, fault_at("b.take", 1, 1), "nothing came of it")};
  result.sweep.cases = result.cases.size();
  return result;
}

/// The same, and one case of each kind of finding.
inline campaign::SweepResult bad_sweep() {
  using campaign::Outcome;
  campaign::SweepResult result = good_sweep();
  const auto add = [&](Outcome outcome, std::uint64_t nth,
                       const char* why) -> campaign::CaseRecord& {
    return result.cases.emplace_back(case_of(outcome, fault_at("d.bad", nth, -1), why));
  };
  campaign::CaseRecord& bug = add(Outcome::bug, 1, "2 pages leaked");
  bug.findings = {{.kind = "pages-leaked", .text = "0x50000, 0x50001"}};
  bug.verdict = {"module hello: NOT loaded"};
  bug.log = {"first line\r", "last line"};
  bug.faults.front().disassembly = {"> 0x8: mov x0, xzr"};
  add(Outcome::panic, 2, "BRK");
  add(Outcome::hang, 3, "wedged");
  add(Outcome::lost, 4, "killed by signal 9");
  result.sweep.cases = result.cases.size();
  return result;
}

/// Everything that can be text is hostile.
inline campaign::SweepResult hostile_sweep() {
  campaign::SweepResult result = small_sweep();
  result.sweep.modules = {hostile};
  result.sweep.generation = result.sweep.mode = result.sweep.fingerprint = hostile;
  result.sweep.replay = {hostile};
  result.sweep.meanings = {{hostile, hostile}, {"x" + hostile, hostile}};
  for (std::size_t index = 0; index < campaign::outcome_count; ++index) {
    campaign::FaultRecord fault = fault_at(hostile, index + 1, -12);
    fault.meaning = hostile;
    fault.path = fault.disassembly = {hostile, hostile};
    campaign::CaseRecord record =
        case_of(static_cast<campaign::Outcome>(index), std::move(fault), hostile);
    record.findings = {{.kind = hostile, .text = hostile}};
    record.verdict = record.log = {hostile};
    if (index % 2 == 0) record.faults.push_back(record.faults.front());
    result.cases.push_back(std::move(record));
  }
  return result;
}

}  // namespace pkvmemu::test
