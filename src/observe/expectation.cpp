// SPDX-License-Identifier: GPL-2.0-only
#include "observe/expectation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "observe/report.h"
#include "support/number.h"

namespace pkvmemu::observe {
namespace {

constexpr std::string_view any_text;  ///< of a subject: whatever the user writes
constexpr std::string_view any_number = "a number";

std::string loads(const RunReport& report) {
  if (report.modules.empty()) return "none";
  const bool all = std::ranges::all_of(report.modules, [](const ModuleReport& module) {
    return module.state == LoadState::loaded || module.state == LoadState::refused;
  });
  return all ? "loaded" : "failed";
}

std::string protected_vms(const RunReport& report) {
  switch (report.protected_vms.state) {
    case Availability::available:
      return "available";
    case Availability::not_available:
      return "unavailable";
    case Availability::not_verified:
      break;
  }
  return "not-verified";
}

std::string panics(const RunReport& report) {
  if (report.hyp_panic) return "hyp";
  return report.host_panic ? "host" : "none";
}

std::string fired(const RunReport& report) {
  std::uint64_t count = 0;
  for (const FaultReport& fault : report.faults)
    count += fault.fired;
  return std::to_string(count);
}

struct Subject {
  std::string_view name;
  std::string_view words;  ///< that may be wanted, with '|' between
  std::string (*found)(const RunReport& report);
};
constexpr std::array subjects = {
    Subject{"loads", "loaded|failed|none", loads},
    Subject{"protected_vms", "available|unavailable|not-verified", protected_vms},
    Subject{
        "deprivileged", "yes|no",
        [](const RunReport& report) -> std::string { return report.deprivileged ? "yes" : "no"; }},
    Subject{"panic", "none|hyp|host", panics},
    Subject{"ended", "powered-off|reset|halted|budget-spent|wedged|power-cut",
            [](const RunReport& report) { return std::string(name_of(report.exit.reason)); }},
    Subject{"exit", any_number,
            [](const RunReport& report) {
              return std::to_string(static_cast<unsigned>(report.exit_code));
            }},
    Subject{"fired", any_number, fired},
    Subject{"console", any_text, [](const RunReport& report) { return report.console; }},
    Subject{"console_lacks", any_text, [](const RunReport& report) { return report.console; }},
};

constexpr std::array names = [] {
  std::array<std::string_view, subjects.size()> all{};
  std::ranges::transform(subjects, all.begin(), &Subject::name);
  return all;
}();

const Subject* find_subject(std::string_view name) {
  const auto* const found = std::ranges::find(subjects, name, &Subject::name);
  return found == subjects.end() ? nullptr : found;
}

bool is_among(std::string_view words, std::string_view word) {
  const std::string all = fmt::format("|{}|", words);
  return !word.contains('|') && all.contains(fmt::format("|{}|", word));
}

/// The last lines: what a person wants to see where a text is missing.
std::string tail_of(std::string_view console) {
  constexpr std::size_t shown = 300;
  std::string tail(console.size() <= shown ? console : console.substr(console.size() - shown));
  while (tail.ends_with('\n'))
    tail.pop_back();
  std::ranges::replace(tail, '\n', '/');
  return tail;
}

}  // namespace

std::span<const std::string_view> expectation_subjects() {
  return names;
}

Result<void> check(const Expectation& expectation) {
  const Subject* const subject = find_subject(expectation.subject);
  if (subject == nullptr) return fail("there is no '{}' to expect", expectation.subject);
  if (subject->words == any_text) {
    if (expectation.wanted.empty()) return fail("{}: expected a text", subject->name);
    return {};
  }
  const bool good = subject->words == any_number ? number_in(expectation.wanted).has_value()
                                                 : is_among(subject->words, expectation.wanted);
  if (!good)
    return fail("{}: expected {}, not '{}'", subject->name, subject->words, expectation.wanted);
  return {};
}

void judge(const RunReport& report, Expectation& expectation) {
  const Subject* const subject = find_subject(expectation.subject);
  if (subject == nullptr) return;
  expectation.found = subject->found(report);
  if (subject->words == any_text) {
    const bool there = expectation.found.contains(expectation.wanted);
    expectation.holds = there == (expectation.subject == "console");
    expectation.found = tail_of(expectation.found);
  } else if (subject->words == any_number) {
    expectation.holds = number_in(expectation.wanted) == number_in(expectation.found);
  } else {
    expectation.holds = expectation.found == expectation.wanted;
  }
}

}  // namespace pkvmemu::observe
