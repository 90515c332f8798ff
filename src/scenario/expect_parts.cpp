// SPDX-License-Identifier: GPL-2.0-only
#include "scenario/expect_parts.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace pkvmemu::scenario {
namespace {

using observe::GuestReport;
using observe::LoadState;
using observe::ModuleReport;

constexpr auto load_states =
    std::to_array<std::string_view>({"loaded", "failed", "refused", "not_tried", "unfinished"});

std::string_view name_of(LoadState state) {
  return load_states.at(static_cast<std::size_t>(state));
}

const ModuleReport* find_module(const Observed& observed, std::string_view name) {
  const auto& modules = observed.report.modules;
  const auto found = std::ranges::find(modules, name, &ModuleReport::name);
  return found == modules.end() ? nullptr : &*found;
}

/// Looks at a module; what there is to say when the run knows none of that name is always the same.
Look at_module(const std::string& name, std::function<std::string(const ModuleReport&)> look) {
  return [name, look = std::move(look)](const Observed& observed) -> std::string {
    const ModuleReport* const module = find_module(observed, name);
    return module == nullptr ? "no module of this name" : look(*module);
  };
}

/// With its reason, which says why it is not the state that was expected.
std::string state_and_reason(const ModuleReport& module) {
  const std::string reason = observe::failure_text(module);
  return fmt::format("{}{}{}", name_of(module.state), reason.empty() ? "" : ": ", reason);
}

Expectation has_state(std::string subject, Mark at, const std::string& module, LoadState state) {
  return {.subject = std::move(subject),
          .at = at,
          .expected = std::string(name_of(state)),
          .difference = [module, state](const Observed& observed) -> std::optional<std::string> {
            const ModuleReport* const found = find_module(observed, module);
            if (found == nullptr) return "no module of this name";
            if (found->state == state) return std::nullopt;
            return state_and_reason(*found);
          }};
}

struct ModuleFields {
  Gathered* out;
  std::string name;
  [[nodiscard]] std::string subject(std::string_view part) const {
    return fmt::format("{}.{}", out->subject, part);
  }
};

Parsed<void> take_state(ModuleFields& fields, const YAML::Node& node) {
  const auto text = read_text(node);
  const auto* const found = text ? std::ranges::find(load_states, *text) : load_states.end();
  if (found == load_states.end())
    return problem(node, "expected one of: {}", fmt::join(load_states, ", "));
  fields.out->list.push_back(has_state(fields.subject("state"), mark_of(node), fields.name,
                                       static_cast<LoadState>(found - load_states.begin())));
  return {};
}

Parsed<void> take_error(ModuleFields& fields, const YAML::Node& node) {
  const auto error = read_error(node);
  if (!error) return std::unexpected(error.error());
  fields.out->list.push_back(is_text(
      fields.subject("error"), mark_of(node), observe::error_text(*error),
      at_module(fields.name,
                [](const ModuleReport& module) { return observe::error_text(module.error); })));
  return {};
}

/// A state together with its error: "failed: ENOMEM".
Parsed<void> take_state_and_error(ModuleFields& fields, const YAML::Node& node, LoadState state) {
  fields.out->list.push_back(has_state(fields.subject("state"), mark_of(node), fields.name, state));
  return take_error(fields, node);
}

Parsed<void> take_text(ModuleFields& fields, std::string_view key, const YAML::Node& node,
                       std::function<std::string(const ModuleReport&)> look) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  fields.out->list.push_back(has_part(fields.subject(key), mark_of(node), std::move(*text),
                                      at_module(fields.name, std::move(look))));
  return {};
}

std::string ids_of(const ModuleReport& module) {
  std::vector<unsigned> ids;
  for (const observe::HandlerReport& handler : module.handlers)
    if (handler.id) ids.push_back(*handler.id);
  return fmt::format("{}", fmt::join(ids, ", "));
}

Parsed<void> take_ids(ModuleFields& fields, const YAML::Node& node) {
  std::vector<std::uint64_t> ids;
  if (!node.IsSequence()) return problem(node, "expected a list of numbers: [128, 129]");
  for (const YAML::Node& item : node) {
    const auto id = read_number(item);
    if (!id) return std::unexpected(id.error());
    ids.push_back(*id);
  }
  fields.out->list.push_back(is_text(fields.subject("hvc"), mark_of(node),
                                     fmt::format("{}", fmt::join(ids, ", ")),
                                     at_module(fields.name, ids_of)));
  return {};
}

constexpr std::array module_keys = {
    Key<ModuleFields>{"state", [](const YAML::Node& node,
                                  ModuleFields& fields) { return take_state(fields, node); }},
    Key<ModuleFields>{"failed",
                      [](const YAML::Node& node, ModuleFields& fields) {
                        return take_state_and_error(fields, node, LoadState::failed);
                      }},
    Key<ModuleFields>{"refused",
                      [](const YAML::Node& node, ModuleFields& fields) {
                        return take_state_and_error(fields, node, LoadState::refused);
                      }},
    Key<ModuleFields>{"step",
                      [](const YAML::Node& node, ModuleFields& fields) {
                        return take_text(fields, "step", node, [](const ModuleReport& module) {
                          return module.step ? std::string(observe::name_of(*module.step))
                                             : std::string("no step");
                        });
                      }},
    Key<ModuleFields>{"reason",
                      [](const YAML::Node& node, ModuleFields& fields) {
                        return take_text(fields, "reason", node, observe::failure_text);
                      }},
    Key<ModuleFields>{
        "hvc", [](const YAML::Node& node, ModuleFields& fields) { return take_ids(fields, node); }},
};

struct GuestFields {
  Gathered* out;
  const FindGuest* find;
};

/// Lines that look at the guest; empty where there is none.
LookLines guest_console(const FindGuest& find) {
  return [find](const Observed& observed) {
    const GuestReport* const guest = find(observed);
    return guest == nullptr ? std::vector<std::string>{} : guest->console;
  };
}

std::string ran_text(const GuestReport* guest) {
  if (guest == nullptr) return "no such guest";
  return guest->ran ? "true" : "false";
}

std::string step_text(const GuestReport* guest, std::string_view step) {
  if (guest == nullptr) return "no such guest";
  const auto found = std::ranges::find(guest->steps, step, &observe::GuestStep::what);
  return found == guest->steps.end() ? "no such step" : observe::error_text(found->answer);
}

Parsed<void> take_steps(const YAML::Node& node, GuestFields& fields) {
  if (auto good = check_map(node, "steps"); !good) return good;
  for (const auto& field : node) {
    const auto error = read_error(field.second);
    if (!error) return std::unexpected(error.error());
    const std::string step = field.first.Scalar();
    fields.out->list.push_back(is_text(fmt::format("{}.steps.{}", fields.out->subject, step),
                                       mark_of(field.first), observe::error_text(*error),
                                       [find = *fields.find, step](const Observed& observed) {
                                         return step_text(find(observed), step);
                                       }));
  }
  return {};
}

Parsed<void> take_ran(const YAML::Node& node, GuestFields& fields) {
  const auto flag = read_flag(node);
  if (!flag) return std::unexpected(flag.error());
  fields.out->list.push_back(is_text(
      fields.out->subject + ".ran", mark_of(node), *flag ? "true" : "false",
      [find = *fields.find](const Observed& observed) { return ran_text(find(observed)); }));
  // The list has what the function holds.
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  return {};
}

constexpr std::array guest_keys = {
    Key<GuestFields>{"ran", take_ran},
    Key<GuestFields>{"steps", take_steps},
    Key<GuestFields>{"console",
                     [](const YAML::Node& node, GuestFields& fields) {
                       return add_lines(*fields.out, "console", node, guest_console(*fields.find));
                     }},
    Key<GuestFields>{"console_lacks",
                     [](const YAML::Node& node, GuestFields& fields) {
                       return add_lacking(*fields.out, "console_lacks", node,
                                          guest_console(*fields.find));
                     }},
    Key<GuestFields>{"in",
                     [](const YAML::Node& /*node*/, GuestFields& /*fields*/) -> Parsed<void> {
                       return {};  // read by whom it is about
                     }},
};

/// Few lines are shown whole, of many the first and the last.
std::string shown(const std::vector<std::string>& lines) {
  constexpr std::size_t most = 12;
  if (lines.empty()) return "no line at all";
  if (lines.size() <= most) return fmt::format("{}", fmt::join(lines, "\n"));
  const auto half = static_cast<std::ptrdiff_t>(most / 2);
  return fmt::format("{}\n... {} lines ...\n{}",
                     fmt::join(lines.begin(), lines.begin() + half, "\n"), lines.size() - most,
                     fmt::join(lines.end() - half, lines.end(), "\n"));
}

const std::string* line_with(const std::vector<std::string>& lines, std::string_view part) {
  const auto found =
      std::ranges::find_if(lines, [part](const std::string& line) { return line.contains(part); });
  return found == lines.end() ? nullptr : &*found;
}

}  // namespace

Expectation is_text(std::string subject, Mark at, std::string expected, Look look) {
  auto difference =
      [expected, look = std::move(look)](const Observed& observed) -> std::optional<std::string> {
    std::string got = look(observed);
    if (got == expected) return std::nullopt;
    return got;
  };
  return {std::move(subject), at, std::move(expected), std::move(difference)};
}

Expectation has_part(std::string subject, Mark at, std::string part, Look look) {
  std::string expected = fmt::format("has '{}' in it", part);
  return {std::move(subject), at, std::move(expected),
          [part = std::move(part),
           look = std::move(look)](const Observed& observed) -> std::optional<std::string> {
            std::string got = look(observed);
            if (got.contains(part)) return std::nullopt;
            return got;
          }};
}

Expectation has_line(std::string subject, Mark at, std::string part, LookLines look) {
  std::string expected = fmt::format("a line with '{}'", part);
  return {std::move(subject), at, std::move(expected),
          [part = std::move(part),
           look = std::move(look)](const Observed& observed) -> std::optional<std::string> {
            const std::vector<std::string> lines = look(observed);
            if (line_with(lines, part) != nullptr) return std::nullopt;
            return shown(lines);
          }};
}

Expectation lacks_line(std::string subject, Mark at, std::string part, LookLines look) {
  std::string expected = fmt::format("no line with '{}'", part);
  return {std::move(subject), at, std::move(expected),
          [part = std::move(part),
           look = std::move(look)](const Observed& observed) -> std::optional<std::string> {
            const std::vector<std::string> lines = look(observed);
            const std::string* const line = line_with(lines, part);
            if (line == nullptr) return std::nullopt;
            return *line;
          }};
}

Parsed<void> add_lines(Gathered& gathered, std::string_view key, const YAML::Node& node,
                       const LookLines& look) {
  const auto parts = read_texts(node);
  if (!parts) return std::unexpected(parts.error());
  for (std::size_t i = 0; i < parts->size(); ++i)
    gathered.list.push_back(has_line(fmt::format("{}.{}", gathered.subject, key),
                                     mark_of(node.IsSequence() ? node[i] : node), (*parts)[i],
                                     look));
  return {};
}

Parsed<void> add_lacking(Gathered& gathered, std::string_view key, const YAML::Node& node,
                         const LookLines& look) {
  const auto parts = read_texts(node);
  if (!parts) return std::unexpected(parts.error());
  for (std::size_t i = 0; i < parts->size(); ++i)
    gathered.list.push_back(lacks_line(fmt::format("{}.{}", gathered.subject, key),
                                       mark_of(node.IsSequence() ? node[i] : node), (*parts)[i],
                                       look));
  return {};
}

std::string number_text(std::uint64_t value) {
  return fmt::format("{:#x} ({})", value, static_cast<std::int64_t>(value));
}

std::vector<std::string> console_lines(const Observed& observed) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : observed.report.console) {
    if (c != '\n' && c != '\r') {
      line += c;
      continue;
    }
    if (!line.empty()) lines.push_back(std::exchange(line, {}));
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

Parsed<void> add_module(Gathered& gathered, const std::string& module, const YAML::Node& node) {
  ModuleFields fields{.out = &gathered, .name = module};
  if (!node.IsMap()) return take_state(fields, node);
  return read_map(node, "a module", module_keys, fields);
}

Parsed<void> add_guest(Gathered& gathered, const FindGuest& find, const YAML::Node& node) {
  GuestFields fields{.out = &gathered, .find = &find};
  return read_map(node, "a guest", guest_keys, fields);
}

Expectations replaced(Expectations general, Expectations special) {
  const auto group_of = [](const Expectation& each) -> const std::string& {
    return each.group.empty() ? each.subject : each.group;
  };
  std::erase_if(general, [&](const Expectation& each) {
    return std::ranges::any_of(
        special, [&](const Expectation& own) { return group_of(own) == group_of(each); });
  });
  std::ranges::move(special, std::back_inserter(general));
  return general;
}

void add_group(Gathered& gathered, Gathered part) {
  for (Expectation& each : part.list)
    each.group = part.subject;
  std::ranges::move(part.list, std::back_inserter(gathered.list));
}

Parsed<YAML::Node> part_of_generation(const YAML::Node& node, pkvm::Generation generation) {
  YAML::Node part(YAML::NodeType::Undefined);
  const YAML::Node all = node.IsMap() ? node["in"] : YAML::Node(YAML::NodeType::Undefined);
  if (!all.IsDefined()) return part;
  if (auto good = check_map(all, "in"); !good) return std::unexpected(good.error());
  for (const auto& field : all) {
    const auto known = pkvm::generation_of_kmi(field.first.Scalar());
    if (!known)
      return problem(field.first,
                     "expected a generation: android14-6.1, android15-6.6 or android16-6.12");
    if (*known == generation) part.reset(field.second);
  }
  return part;
}

std::vector<Mismatch> check(const Expectations& expectations, const Observed& observed) {
  std::vector<Mismatch> mismatches;
  for (const Expectation& each : expectations)
    if (auto got = each.difference(observed))
      mismatches.push_back({each.subject, each.at, each.expected, std::move(*got)});
  return mismatches;
}

}  // namespace pkvmemu::scenario
