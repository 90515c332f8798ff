// SPDX-License-Identifier: GPL-2.0-only
#include "scenario/scenario.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include "fault/plan.h"
#include "observe/expectation.h"

namespace pkvmemu::scenario {
namespace {

constexpr std::string_view blanks = " \t";

Parsed<void> take_generations(const YAML::Node& node, Scenario& scenario) {
  if (node.IsScalar() && node.Scalar() == "all") {
    for (const pkvm::GenerationInfo& row : pkvm::generations)
      scenario.generations.push_back(row.id);
    return {};
  }
  const auto names = read_texts(node);
  if (!names) return std::unexpected(names.error());
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto known = pkvm::generation_of_kmi((*names)[i]);
    if (!known)
      return problem(
          node.IsSequence() ? node[i] : node,
          "expected android14-6.1, android15-6.6, android16-6.12, a list of them, or all");
    if (has(scenario.generations, *known))
      return problem(node[i], "{} is there twice", (*names)[i]);
    scenario.generations.push_back(*known);
  }
  return {};
}

/// A text over several lines begins on the line behind its `|`.
Parsed<InlineText> read_code(const YAML::Node& node) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  const bool block = text->contains('\n');
  return InlineText{.text = std::move(*text), .first_line = mark_of(node).line + (block ? 1 : 0)};
}

Parsed<void> take_code(const YAML::Node& node, Module& module, ModuleKind kind) {
  if (module.kind != ModuleKind::file) return problem(node, "a module is of one language");
  auto code = read_code(node);
  if (!code) return std::unexpected(code.error());
  module.kind = kind;
  module.el2 = std::move(*code);
  return {};
}

template <std::vector<std::string> El2Only::* field>
Parsed<void> take_el2_list(const YAML::Node& node, Module& module) {
  auto texts = read_texts(node);
  if (!texts) return std::unexpected(texts.error());
  if (!module.el2_only) module.el2_only.emplace();
  (*module.el2_only).*field = std::move(*texts);
  return {};
}

Parsed<void> take_el2_file(const YAML::Node& node, Module& module) {
  auto file = read_text(node);
  if (!file) return std::unexpected(file.error());
  if (!module.name.empty()) return problem(node, "a module is a file, or stands here with a name");
  module.name = std::move(*file);
  if (!module.el2_only) module.el2_only.emplace();
  return {};
}

Parsed<void> take_el2_init(const YAML::Node& node, Module& module) {
  auto init = read_text(node);
  if (!init) return std::unexpected(init.error());
  if (!module.el2_only) module.el2_only.emplace();
  module.el2_only->init = std::move(*init);
  return {};
}

constexpr std::array module_keys = {
    Key<Module>{"el2_only", take_el2_file},
    Key<Module>{"init", take_el2_init},
    Key<Module>{"hvc", take_el2_list<&El2Only::handlers>},
    Key<Module>{"set", take_el2_list<&El2Only::variables>},
    Key<Module>{"name",
                [](const YAML::Node& node, Module& module) -> Parsed<void> {
                  auto name = read_text(node);
                  if (!name) return std::unexpected(name.error());
                  module.name = std::move(*name);
                  return {};
                }},
    Key<Module>{"asm",
                [](const YAML::Node& node, Module& module) {
                  return take_code(node, module, ModuleKind::assembly);
                }},
    Key<Module>{"c", [](const YAML::Node& node,
                        Module& module) { return take_code(node, module, ModuleKind::c); }},
    Key<Module>{"el1",
                [](const YAML::Node& node, Module& module) -> Parsed<void> {
                  auto code = read_code(node);
                  if (!code) return std::unexpected(code.error());
                  module.el1 = std::move(*code);
                  return {};
                }},
};

Parsed<Module> read_module(const YAML::Node& node) {
  Module module{.at = mark_of(node)};
  if (!node.IsMap()) {
    auto file = read_text(node);
    if (!file) return problem(node, "expected a file, or a module with name and asm or c");
    module.name = std::move(*file);
    return module;
  }
  if (auto read = read_map(node, "a module", module_keys, module); !read)
    return std::unexpected(read.error());
  if (module.el2_only) {
    if (module.name.empty() || module.kind != ModuleKind::file || module.el2_only->init.empty())
      return problem(node,
                     "a module of which only the EL2 half is wanted: el2_only with its file, "
                     "and init");
    return module;
  }
  if (module.name.empty() || module.kind == ModuleKind::file)
    return problem(node, "a module that stands here needs a name, and asm or c");
  if (module.el1 && module.kind != ModuleKind::c)
    return problem(node, "el1 goes with c: assembly has an EL1 half made for it");
  return module;
}

Parsed<void> take_modules(const YAML::Node& node, Scenario& scenario) {
  if (!node.IsSequence()) return problem(node, "expected a list of modules");
  for (const YAML::Node& item : node) {
    auto module = read_module(item);
    if (!module) return std::unexpected(module.error());
    scenario.modules.push_back(std::move(*module));
  }
  return {};
}

Parsed<void> take_faults(const YAML::Node& node, Scenario& scenario) {
  auto faults = read_texts(node);
  if (!faults) return std::unexpected(faults.error());
  for (std::size_t i = 0; i < faults->size(); ++i)
    scenario.fault_marks.push_back(mark_of(node.IsSequence() ? node[i] : node));
  scenario.faults = std::move(*faults);
  return {};
}

template <std::vector<std::string> Scenario::* field, std::vector<Mark> Scenario::* marks>
Parsed<void> take_marked(const YAML::Node& node, Scenario& scenario) {
  auto texts = read_texts(node);
  if (!texts) return std::unexpected(texts.error());
  for (std::size_t i = 0; i < texts->size(); ++i)
    (scenario.*marks).push_back(mark_of(node.IsSequence() ? node[i] : node));
  scenario.*field = std::move(*texts);
  return {};
}

template <std::vector<std::string> Scenario::* field>
Parsed<void> take_list(const YAML::Node& node, Scenario& scenario) {
  auto texts = read_texts(node);
  if (!texts) return std::unexpected(texts.error());
  scenario.*field = std::move(*texts);
  return {};
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return word;
}

std::unexpected<Problem> unknown_verb(const YAML::Node& node, std::string_view verb) {
  return problem(node, "'{}' is nothing that can be done; there are: {}", verb,
                 fmt::join(wish_verbs, ", "));
}

/// "early call f:1", as a line of /pkvm-emu.rc.
Parsed<Wish> read_line(const YAML::Node& node) {
  const auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  std::string_view rest = *text;
  Wish wish{.at = mark_of(node)};
  wish.expect.reset(YAML::Node(YAML::NodeType::Undefined));
  wish.verb = take_word(rest);
  if (wish.verb == "early") {
    wish.phase = Phase::early;
    wish.verb = take_word(rest);
  }
  if (!has(wish_verbs, wish.verb)) return unknown_verb(node, wish.verb);
  wish.text = rest;
  return wish;
}

Parsed<void> take_verb(const YAML::Node& key, const YAML::Node& value, Wish& wish) {
  std::string_view rest = key.Scalar();
  const std::string_view first = take_word(rest);
  const bool early = first == "early";
  const std::string_view verb = early ? take_word(rest) : first;
  if (!has(wish_verbs, verb)) return unknown_verb(key, key.Scalar());
  if (!wish.verb.empty())
    return problem(key, "one thing at a time: {} stands here, too", wish.verb);
  if (!value.IsScalar() && !value.IsNull()) return problem(value, "expected a text");
  wish.verb = verb;
  wish.phase = early ? Phase::early : Phase::normal;
  wish.text = value.IsNull() ? "" : value.Scalar();
  return {};
}

Parsed<Wish> read_wish(const YAML::Node& node) {
  if (!node.IsMap()) return read_line(node);
  if (auto good = check_map(node, "a wish"); !good) return std::unexpected(good.error());
  Wish wish{.at = mark_of(node)};
  wish.expect.reset(YAML::Node(YAML::NodeType::Undefined));
  for (const auto& field : node) {
    if (field.first.Scalar() == "expect") {
      wish.expect.reset(field.second);
      continue;
    }
    if (auto taken = take_verb(field.first, field.second, wish); !taken)
      return std::unexpected(taken.error());
  }
  if (wish.verb.empty())
    return problem(node, "nothing is to be done; there are: {}", fmt::join(wish_verbs, ", "));
  return wish;
}

Parsed<void> take_wishes(const YAML::Node& node, Scenario& scenario) {
  if (!node.IsSequence()) return problem(node, "expected a list of things to do");
  for (const YAML::Node& item : node) {
    auto wish = read_wish(item);
    if (!wish) return std::unexpected(wish.error());
    scenario.wishes.push_back(std::move(*wish));
  }
  return {};
}

template <std::string Scenario::* field>
Parsed<void> take_text(const YAML::Node& node, Scenario& scenario) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  scenario.*field = std::move(*text);
  return {};
}

template <std::optional<std::string> Scenario::* field>
Parsed<void> take_optional(const YAML::Node& node, Scenario& scenario) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  scenario.*field = std::move(*text);
  return {};
}

template <bool Scenario::* field>
Parsed<void> take_flag(const YAML::Node& node, Scenario& scenario) {
  const auto flag = read_flag(node);
  if (!flag) return std::unexpected(flag.error());
  scenario.*field = *flag;
  return {};
}

Parsed<void> take_budget(const YAML::Node& node, Scenario& scenario) {
  scenario.budget_mark = mark_of(node);
  return take_optional<&Scenario::budget>(node, scenario);
}

/// A file's name, or the plan itself, whose reader tells mistakes in its own words.
Parsed<void> take_plan(const YAML::Node& node, Scenario& scenario) {
  scenario.plan_node.reset(node);
  if (!node.IsMap()) return take_optional<&Scenario::plan_file>(node, scenario);
  return {};
}

Parsed<void> take_unresolved(const YAML::Node& node, Scenario& scenario) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (text != "refuse" && text != "stub") return problem(node, "expected refuse or stub");
  scenario.stub_unresolved = text == "stub";
  return {};
}

constexpr std::array scenario_keys = {
    Key<Scenario>{"scenario", take_text<&Scenario::sentence>},
    Key<Scenario>{"generation", take_generations},
    Key<Scenario>{"modules", take_modules},
    Key<Scenario>{"cmdline", take_text<&Scenario::cmdline>},
    Key<Scenario>{"faults", take_faults},
    Key<Scenario>{"plan", take_plan},
    Key<Scenario>{"do", take_wishes},
    Key<Scenario>{"mmio", take_marked<&Scenario::mmio, &Scenario::mmio_marks>},
    Key<Scenario>{"mem", take_marked<&Scenario::memory, &Scenario::memory_marks>},
    Key<Scenario>{"el3", take_optional<&Scenario::el3>},
    Key<Scenario>{"devices", take_list<&Scenario::devices>},
    Key<Scenario>{"env", take_list<&Scenario::environment>},
    Key<Scenario>{"initramfs", take_optional<&Scenario::initramfs>},
    Key<Scenario>{"firmware", take_optional<&Scenario::firmware>},
    Key<Scenario>{"budget", take_budget},
    Key<Scenario>{"as_shipped", take_flag<&Scenario::as_shipped>},
    Key<Scenario>{"no_iommu", take_flag<&Scenario::no_iommu>},
    Key<Scenario>{"no_pvm", take_flag<&Scenario::no_pvm>},
    Key<Scenario>{"log_ops", take_flag<&Scenario::log_ops>},
    Key<Scenario>{"trace_events", take_flag<&Scenario::trace_events>},
    Key<Scenario>{"unresolved", take_unresolved},
    Key<Scenario>{"expect",
                  [](const YAML::Node& node, Scenario& scenario) -> Parsed<void> {
                    scenario.expect.reset(node);
                    return {};
                  }},
};

Parsed<Scenario> read_scenario(const std::string& text) {
  const auto document = read_document(text);
  if (!document) return std::unexpected(document.error());
  Scenario scenario;
  scenario.expect.reset(YAML::Node(YAML::NodeType::Undefined));
  if (auto read = read_map(*document, "a scenario", scenario_keys, scenario); !read)
    return std::unexpected(read.error());
  if (scenario.sentence.empty())
    return problem(*document, "there is no 'scenario:', the sentence that says what has to hold");
  return scenario;
}

/// "dir/my-driver.ko" -> "my_driver", as a kernel names it.
std::string module_name_of(std::string_view file) {
  std::string name = std::filesystem::path(file).stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

struct KindRow {
  std::string_view verb;
  WishResult::Kind kind;
};
constexpr std::array kind_rows = {
    KindRow{"call", WishResult::Kind::call},     KindRow{"hvc", WishResult::Kind::call},
    KindRow{"smc", WishResult::Kind::call},      KindRow{"psci", WishResult::Kind::call},
    KindRow{"touch", WishResult::Kind::touch},   KindRow{"pvm", WishResult::Kind::guest},
    KindRow{"vm", WishResult::Kind::guest},      KindRow{"late", WishResult::Kind::late},
    KindRow{"attack", WishResult::Kind::attack},
};

WishResult::Kind kind_of(std::string_view verb) {
  return std::ranges::find(kind_rows, verb, &KindRow::verb)->kind;
}

/// A list of programs is a list of guests.
std::size_t results_of(const Wish& wish) {
  if (kind_of(wish.verb) != WishResult::Kind::guest) return 1;
  return static_cast<std::size_t>(std::ranges::count(wish.text, ',')) + 1;
}

/// Where each wish's result stands among those of its kind: early ones come first.
std::vector<WishResult> places_of(const std::vector<Wish>& wishes) {
  std::vector<WishResult> places(wishes.size());
  std::map<WishResult::Kind, std::size_t> next;
  for (const Phase phase : {Phase::early, Phase::normal})
    for (std::size_t i = 0; i < wishes.size(); ++i) {
      const Wish& wish = wishes[i];
      if (wish.phase != phase) continue;
      WishResult& place = places[i];
      place.kind = kind_of(wish.verb);
      place.index = next[place.kind];
      next[place.kind] += results_of(wish);
      place.target = place.kind == WishResult::Kind::late ? module_name_of(wish.text) : wish.text;
      if (place.kind == WishResult::Kind::attack && wish.text.empty()) place.target = "*";
      place.subject =
          fmt::format("do {} ({}{}{})", i + 1, wish.verb, wish.text.empty() ? "" : " ", wish.text);
    }
  return places;
}

Parsed<Expectations> read_all(const Scenario& scenario, pkvm::Generation generation) {
  Expectations all = default_expectations();
  if (scenario.expect.IsDefined()) {
    auto read = read_expectations(scenario.expect, generation);
    if (!read) return read;
    all = std::move(*read);
  }
  const std::vector<WishResult> places = places_of(scenario.wishes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!scenario.wishes[i].expect.IsDefined()) continue;
    auto read = read_wish_expectations(scenario.wishes[i].expect, places[i], generation);
    if (!read) return read;
    std::ranges::move(*read, std::back_inserter(all));
  }
  return all;
}

std::unexpected<Error> in_file(const Problem& problem, std::string_view file) {
  return std::unexpected(Error{text_of(problem, file)});
}

Result<void> read_own_plan(Scenario& scenario) {
  if (!scenario.plan_node.IsMap()) return {};
  auto plan = fault::plan_at(scenario.file, scenario.plan_node, observe::expectation_subjects());
  if (!plan) return std::unexpected(plan.error());
  scenario.plan = std::move(*plan);
  return {};
}

}  // namespace

Result<Scenario> parse_scenario(const std::string& text, std::string_view file) {
  auto scenario = read_scenario(text);
  if (!scenario) return in_file(scenario.error(), file);
  scenario->file = file;
  if (auto read = read_own_plan(*scenario); !read) return std::unexpected(read.error());
  // Whatever generation it is for: a mistake is told before anything runs.
  for (const pkvm::GenerationInfo& row : pkvm::generations)
    if (auto read = read_all(*scenario, row.id); !read) return in_file(read.error(), file);
  return std::move(*scenario);
}

Result<Expectations> expectations_of(const Scenario& scenario, pkvm::Generation generation) {
  auto all = read_all(scenario, generation);
  if (!all) return in_file(all.error(), scenario.file);
  return std::move(*all);
}

}  // namespace pkvmemu::scenario
