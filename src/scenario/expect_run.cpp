// SPDX-License-Identifier: GPL-2.0-only
// What is expected of a run as a whole: the `expect:` of a scenario.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "machine/exit.h"
#include "observe/ops_log.h"
#include "observe/syndrome.h"
#include "scenario/expect_parts.h"

namespace pkvmemu::scenario {
namespace {

using observe::Availability;
using observe::ExitCode;

struct ExitName {
  ExitCode code;
  std::string_view name;
};
constexpr std::array exit_names = {
    ExitName{ExitCode::good, "good"},
    ExitName{ExitCode::load_failed, "load_failed"},
    ExitName{ExitCode::call_failed, "call_failed"},
    ExitName{ExitCode::hyp_panic, "hyp_panic"},
    ExitName{ExitCode::host_panic, "host_panic"},
    ExitName{ExitCode::no_end, "no_end"},
    ExitName{ExitCode::op_missing, "op_missing"},
    ExitName{ExitCode::unexpected, "unexpected"},
    ExitName{ExitCode::internal, "internal"},
    ExitName{ExitCode::interrupted, "interrupted"},
};

std::string exit_text(ExitCode code) {
  const auto* const row = std::ranges::find(exit_names, code, &ExitName::code);
  const auto number = static_cast<unsigned>(code);
  return row == exit_names.end() ? std::to_string(number)
                                 : fmt::format("{} ({})", row->name, number);
}

Expectation exits_with(Mark at, ExitCode code) {
  return is_text("exit", at, exit_text(code),
                 [](const Observed& run) { return exit_text(run.report.exit_code); });
}

Parsed<void> take_exit(const YAML::Node& node, Gathered& out) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  for (const ExitName& row : exit_names) {
    if (text != row.name && text != std::to_string(static_cast<unsigned>(row.code))) continue;
    out.list.push_back(exits_with(mark_of(node), row.code));
    return {};
  }
  std::vector<std::string> names;
  for (const ExitName& row : exit_names)
    names.push_back(exit_text(row.code));
  return problem(node, "expected what a run ends with: {}", fmt::join(names, ", "));
}

constexpr auto availabilities =
    std::to_array<std::string_view>({"available", "not_available", "not_verified"});

std::string_view name_of(Availability state) {
  return availabilities.at(static_cast<std::size_t>(state));
}

Parsed<void> add_availability(Gathered& out, const YAML::Node& node) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (!has(availabilities, text))
    return problem(node, "expected one of: {}", fmt::join(availabilities, ", "));
  auto difference = [text](const Observed& run) -> std::optional<std::string> {
    const observe::ProtectedVms& vms = run.report.protected_vms;
    if (name_of(vms.state) == text) return std::nullopt;
    return fmt::format("{}: {}", name_of(vms.state), vms.reason);
  };
  out.list.push_back({"protected_vms", mark_of(node), text, std::move(difference)});
  return {};
}

Parsed<void> add_protected_vms(const YAML::Node& node, Gathered& out) {
  if (!node.IsMap()) return add_availability(out, node);
  if (auto good = check_map(node, "protected_vms"); !good) return good;
  for (const auto& field : node) {
    if (auto added = add_availability(out, field.first); !added) return added;
    auto reason = read_text(field.second);
    if (!reason) return std::unexpected(reason.error());
    out.list.push_back(
        has_part("protected_vms.reason", mark_of(field.second), std::move(*reason),
                 [](const Observed& run) { return run.report.protected_vms.reason; }));
  }
  return {};
}

/// "available", or "not_available: part of the reason".
Parsed<void> take_protected_vms(const YAML::Node& node, Gathered& out) {
  Gathered of_vms{.subject = "protected_vms"};
  if (auto added = add_protected_vms(node, of_vms); !added) return added;
  add_group(out, std::move(of_vms));
  return {};
}

Parsed<void> take_modules(const YAML::Node& node, Gathered& out) {
  if (auto good = check_map(node, "modules"); !good) return good;
  for (const auto& field : node) {
    const std::string name = field.first.Scalar();
    Gathered of_module{.subject = "modules." + name};
    if (auto added = add_module(of_module, name, field.second); !added) return added;
    add_group(out, std::move(of_module));
  }
  return {};
}

Parsed<void> take_guests(const YAML::Node& node, Gathered& out) {
  if (auto good = check_map(node, "guests"); !good) return good;
  for (const auto& field : node) {
    const std::string name = field.first.Scalar();
    const FindGuest find = [name](const Observed& run) -> const observe::GuestReport* {
      const auto found = std::ranges::find(run.report.guests, name, &observe::GuestReport::name);
      return found == run.report.guests.end() ? nullptr : &*found;
    };
    Gathered of_guest{.subject = "guests." + name};
    if (auto added = add_guest(of_guest, find, field.second); !added) return added;
    add_group(out, std::move(of_guest));
  }
  return {};
}

/// "hello_hvc+0x8 [hello]", and the console's own line, which has it as the kernel writes it.
std::string panic_place(const Observed& run) {
  if (!run.report.hyp_panic) return "no hyp panic";
  std::string place = run.report.hyp_panic->told.where;
  for (const std::string& line : console_lines(run))
    if (line.contains("hyp panic at:")) place += "; " + line;
  return place.empty() ? "a hyp panic without a place" : place;
}

std::string panic_text(const Observed& run) {
  if (!run.report.hyp_panic) return "none";
  return observe::syndrome_text(run.report.hyp_panic->esr, run.report.hyp_panic->far);
}

Parsed<void> add_panic_text(Gathered& out, std::string_view key, const YAML::Node& node,
                            Look look) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  out.list.push_back(
      has_part(fmt::format("hyp_panic.{}", key), mark_of(node), std::move(*text), std::move(look)));
  return {};
}

Parsed<void> add_panic_number(Gathered& out, std::string_view key, const YAML::Node& node,
                              std::uint64_t observe::HypPanic::* number_of) {
  const auto number = read_number(node);
  if (!number) return std::unexpected(number.error());
  out.list.push_back(is_text(fmt::format("hyp_panic.{}", key), mark_of(node), number_text(*number),
                             [number_of](const Observed& run) {
                               const auto& panic = run.report.hyp_panic;
                               return panic ? number_text((*panic).*number_of)
                                            : std::string("no hyp panic");
                             }));
  return {};
}

constexpr std::array panic_keys = {
    Key<Gathered>{"what",
                  [](const YAML::Node& node, Gathered& out) {
                    return add_panic_text(out, "what", node, panic_text);
                  }},
    Key<Gathered>{"at", [](const YAML::Node& node,
                           Gathered& out) { return add_panic_text(out, "at", node, panic_place); }},
    Key<Gathered>{"esr",
                  [](const YAML::Node& node, Gathered& out) {
                    return add_panic_number(out, "esr", node, &observe::HypPanic::esr);
                  }},
    Key<Gathered>{"far", [](const YAML::Node& node, Gathered& out) {
                    return add_panic_number(out, "far", node, &observe::HypPanic::far);
                  }}};

Parsed<void> add_hyp_panic(const YAML::Node& node, Gathered& out) {
  if (node.IsMap()) return read_map(node, "hyp_panic", panic_keys, out);
  if (node.IsScalar() && node.Scalar() == "none") {
    out.list.push_back(is_text("hyp_panic", mark_of(node), "none", panic_text));
    return {};
  }
  return add_panic_text(out, "what", node, panic_text);
}

Parsed<void> take_hyp_panic(const YAML::Node& node, Gathered& out) {
  Gathered of_panic{.subject = "hyp_panic"};
  if (auto added = add_hyp_panic(node, of_panic); !added) return added;
  add_group(out, std::move(of_panic));
  return {};
}

Parsed<void> take_host_panic(const YAML::Node& node, Gathered& out) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  const Look look = [](const Observed& run) { return run.report.host_panic.value_or("none"); };
  out.list.push_back(*text == "none" ? is_text("host_panic", mark_of(node), *text, look)
                                     : has_part("host_panic", mark_of(node), *text, look));
  return {};
}

const observe::FaultReport* find_fault(const Observed& run, std::string_view site) {
  const auto found = std::ranges::find(run.report.faults, site, &observe::FaultReport::site);
  return found == run.report.faults.end() ? nullptr : &*found;
}

/// How often a fault's site was reached and failed: one number is how often it failed.
Parsed<void> add_fault(Gathered& out, const std::string& site, std::string_view key,
                       const YAML::Node& node, std::uint64_t observe::FaultReport::* number_of) {
  const auto number = read_number(node);
  if (!number) return std::unexpected(number.error());
  out.list.push_back(is_text(fmt::format("faults.{}.{}", site, key), mark_of(node),
                             std::to_string(*number), [site, number_of](const Observed& run) {
                               const observe::FaultReport* const fault = find_fault(run, site);
                               return fault == nullptr ? std::string("no such fault")
                                                       : std::to_string(fault->*number_of);
                             }));
  return {};
}

Parsed<void> take_faults(const YAML::Node& node, Gathered& out) {
  if (auto good = check_map(node, "faults"); !good) return good;
  constexpr auto names = std::to_array<std::string_view>({"fired", "reached"});
  for (const auto& field : node) {
    const std::string site = field.first.Scalar();
    if (field.second.IsScalar()) {
      auto added = add_fault(out, site, "fired", field.second, &observe::FaultReport::fired);
      if (!added) return added;
      continue;
    }
    if (auto good = check_map(field.second, site); !good) return good;
    for (const auto& part : field.second) {
      const std::string key = part.first.Scalar();
      if (!has(names, key)) return unknown_key(part.first, "a fault", names);
      auto added =
          add_fault(out, site, key, part.second,
                    key == "fired" ? &observe::FaultReport::fired : &observe::FaultReport::reached);
      if (!added) return added;
    }
  }
  return {};
}

Parsed<void> take_deprivileged(const YAML::Node& node, Gathered& out) {
  const auto flag = read_flag(node);
  if (!flag) return std::unexpected(flag.error());
  out.list.push_back(
      is_text("deprivileged", mark_of(node), *flag ? "true" : "false", [](const Observed& run) {
        return run.report.deprivileged ? std::string("true") : std::string("false");
      }));
  return {};
}

Parsed<void> take_end(const YAML::Node& node, Gathered& out) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  out.list.push_back(is_text("end", mark_of(node), std::move(*text), [](const Observed& run) {
    return std::string(machine::name_of(run.report.exit.reason));
  }));
  return {};
}

std::vector<std::string> defect_lines(const Observed& run) {
  std::vector<std::string> lines;
  for (const observe::MetDefect& defect : run.report.defects)
    lines.push_back(
        fmt::format("{} {}", defect.name, defect.reproduced ? "reproduced" : "avoided"));
  return lines;
}

std::vector<std::string> missing_op_lines(const Observed& run) {
  std::vector<std::string> lines;
  for (const observe::MissingOp& op : run.report.missing_ops)
    lines.push_back(op.name);
  return lines;
}

std::vector<std::string> stub_lines(const Observed& run) {
  std::vector<std::string> lines;
  for (const observe::StubUse& use : run.report.stub_uses)
    lines.push_back(fmt::format("{}: {}", use.symbol, use.count));
  return lines;
}

std::vector<std::string> op_lines(const Observed& run) {
  std::vector<std::string> lines;
  for (const observe::OpCall& op : run.report.ops)
    lines.push_back(observe::line_of(op));
  return lines;
}

std::vector<std::string> event_lines(const Observed& run) {
  std::vector<std::string> lines;
  for (const observe::TraceEvent& event : run.report.trace_events)
    lines.push_back(fmt::format("{}: {}", event.name, event.text));
  return lines;
}

std::vector<std::string> verdict_of(const Observed& run) {
  return run.verdict;
}

/// A list of parts of lines: of what, and which lines.
template <std::vector<std::string> (*lines)(const Observed&), bool are_there>
struct Lines {
  static Parsed<void> add(std::string_view key, const YAML::Node& node, Gathered& out) {
    Gathered here{.subject = "expect"};
    auto added =
        are_there ? add_lines(here, key, node, lines) : add_lacking(here, key, node, lines);
    for (Expectation& each : here.list)
      each.subject = key;
    std::ranges::move(here.list, std::back_inserter(out.list));
    return added;
  }
};

constexpr std::array run_keys = {
    Key<Gathered>{"exit", take_exit},
    Key<Gathered>{"end", take_end},
    Key<Gathered>{"modules", take_modules},
    Key<Gathered>{"guests", take_guests},
    Key<Gathered>{"protected_vms", take_protected_vms},
    Key<Gathered>{"deprivileged", take_deprivileged},
    Key<Gathered>{"hyp_panic", take_hyp_panic},
    Key<Gathered>{"host_panic", take_host_panic},
    Key<Gathered>{"faults", take_faults},
    Key<Gathered>{"verdict",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<verdict_of, true>::add("verdict", node, out);
                  }},
    Key<Gathered>{"verdict_lacks",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<verdict_of, false>::add("verdict_lacks", node, out);
                  }},
    Key<Gathered>{"console",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<console_lines, true>::add("console", node, out);
                  }},
    Key<Gathered>{"console_lacks",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<console_lines, false>::add("console_lacks", node, out);
                  }},
    Key<Gathered>{"defects",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<defect_lines, true>::add("defects", node, out);
                  }},
    Key<Gathered>{"missing_ops",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<missing_op_lines, true>::add("missing_ops", node, out);
                  }},
    Key<Gathered>{"stubs",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<stub_lines, true>::add("stubs", node, out);
                  }},
    Key<Gathered>{"ops",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<op_lines, true>::add("ops", node, out);
                  }},
    Key<Gathered>{"events",
                  [](const YAML::Node& node, Gathered& out) {
                    return Lines<event_lines, true>::add("events", node, out);
                  }},
    Key<Gathered>{"in",
                  [](const YAML::Node& /*node*/, Gathered& /*out*/) -> Parsed<void> {
                    return {};  // read below
                  }},
};

}  // namespace

Expectations default_expectations() {
  return {exits_with({}, ExitCode::good)};
}

Parsed<Expectations> read_expectations(const YAML::Node& node, pkvm::Generation generation) {
  Gathered general;
  if (auto read = read_map(node, "expect", run_keys, general); !read)
    return std::unexpected(read.error());
  const auto part = part_of_generation(node, generation);
  if (!part) return std::unexpected(part.error());
  Gathered special;
  if (part->IsDefined())
    if (auto read = read_map(*part, "expect", run_keys, special); !read)
      return std::unexpected(read.error());
  Expectations own = replaced(std::move(general.list), std::move(special.list));
  Expectations basic = default_expectations();
  for (Expectation& each : basic)
    each.at = mark_of(node);
  return replaced(std::move(basic), std::move(own));
}

}  // namespace pkvmemu::scenario
