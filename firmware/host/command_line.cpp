// SPDX-License-Identifier: GPL-2.0-only
#include "host/command_line.h"

#include "lib/string.h"
#include "pkvm/el2_only.h"
#include "pkvm/platform.h"
#include "pkvm/task.h"

namespace pkvmemu::host {

namespace {

namespace platform = pkvm::platform;

struct Parameter {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
};

void note(CommandLine& line, Warning warning, std::string_view value) {
  if (line.note_count < line.note.size())
    line.note[line.note_count++] = {.warning = warning, .value = value};
}

void set_mode(CommandLine& line, const Parameter& parameter) {
  line.protected_mode = parameter.value == "protected";
  if (!line.protected_mode && parameter.value != "nvhe" && parameter.value != "none")
    note(line, Warning::unknown_mode, parameter.value);
}

void set_modules(CommandLine& line, const Parameter& parameter) {
  if (!parameter.has_value) {
    note(line, Warning::modules_no_value, {});
    return;
  }
  if (!line.protected_modules.empty())
    note(line, Warning::modules_repeated, line.protected_modules);
  line.protected_modules = parameter.value;
}

void set_va_bits(CommandLine& line, const Parameter& parameter) {
  const auto value = fw::parse_number(parameter.value);
  if (value != 39 && value != 48) {
    note(line, Warning::unknown_va_bits, parameter.value);
    return;
  }
  line.va_bits = static_cast<unsigned>(*value);
}

void set_generation(CommandLine& line, const Parameter& parameter) {
  const auto generation = pkvm::generation_of_kmi(parameter.value);
  if (!generation) {
    note(line, Warning::unknown_generation, parameter.value);
    return;
  }
  line.generation = *generation;
}

void set_iommu(CommandLine& line, const Parameter& parameter) {
  if (parameter.value == "none")
    line.iommu = Iommu::none;
  else if (parameter.value == "null")
    line.iommu = Iommu::null_driver;
  else
    note(line, Warning::unknown_iommu, parameter.value);
}

void set_as_shipped(CommandLine& line, const Parameter& parameter) {
  if (!parameter.has_value || parameter.value == "1")
    line.defects = pkvm::Defects::reproduced;
  else if (parameter.value == "0")
    line.defects = pkvm::Defects::avoided;
  else
    note(line, Warning::unknown_as_shipped, parameter.value);
}

template <bool CommandLine::* Flag>
void set_flag(CommandLine& line, const Parameter& parameter) {
  if (!parameter.has_value || parameter.value == "1")
    line.*Flag = true;
  else if (parameter.value == "0")
    line.*Flag = false;
  else
    note(line, Warning::unknown_flag, parameter.value);
}

void set_unresolved(CommandLine& line, const Parameter& parameter) {
  if (parameter.value == "stub")
    line.unresolved = Unresolved::stub;
  else if (parameter.value == "refuse")
    line.unresolved = Unresolved::refuse;
  else
    note(line, Warning::unknown_unresolved, parameter.value);
}

struct Row {
  std::string_view name;
  void (*set)(CommandLine&, const Parameter&);
};
constexpr std::array rows = {
    Row{platform::param_mode, set_mode},
    Row{platform::param_protected_modules, set_modules},
    Row{platform::param_va_bits, set_va_bits},
    Row{platform::param_generation, set_generation},
    Row{platform::param_iommu, set_iommu},
    Row{platform::param_as_shipped, set_as_shipped},
    Row{platform::param_unresolved, set_unresolved},
    Row{platform::param_log_ops, set_flag<&CommandLine::log_ops>},
    Row{platform::param_trace_events, set_flag<&CommandLine::trace_events>},
    Row{platform::param_probe_pvm, set_flag<&CommandLine::probe_pvm>},
    Row{pkvm::el2_only::parameter, set_flag<&CommandLine::el2_only>},
    Row{pkvm::task::param_pauth, set_flag<&CommandLine::pauth>},
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/// The next word, quotes included in it and protecting blanks.
std::string_view take_argument(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front()))
    rest.remove_prefix(1);
  std::size_t size = 0;
  bool quoted = false;
  for (; size < rest.size() && (quoted || !is_blank(rest[size])); ++size)
    if (rest[size] == '"') quoted = !quoted;
  const std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

std::string_view unquoted(std::string_view text) {
  if (text.starts_with('"')) text.remove_prefix(1);
  if (text.ends_with('"')) text.remove_suffix(1);
  return text;
}

/// Parameter names treat '-' and '_' as equal.
bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto fold = [](char c) { return c == '-' ? '_' : c; };
  for (std::size_t i = 0; i < a.size(); ++i)
    if (fold(a[i]) != fold(b[i])) return false;
  return true;
}

}  // namespace

CommandLine parse_command_line(std::string_view text) {
  CommandLine line;
  while (true) {
    const std::string_view word = unquoted(take_argument(text));
    if (word.empty() && text.empty()) return line;
    if (word == "--") return line;  // the rest belongs to init
    Parameter parameter;
    std::string_view rest = word;
    parameter.name = fw::take_until(rest, '=');
    parameter.has_value = parameter.name.size() < word.size();
    parameter.value = unquoted(rest);
    for (const Row& row : rows)
      if (same_name(row.name, parameter.name)) row.set(line, parameter);
  }
}

const char* words_of(Warning warning) {
  switch (warning) {
    case Warning::modules_repeated:
      return "\001ckvm-arm.protected_modules= given again: the former list '%.*s' is dropped\n";
    case Warning::modules_no_value:
      return "\001ckvm-arm.protected_modules needs a value: ignored%.*s\n";
    case Warning::unknown_generation:
      return "\001cpkvmemu.generation=%.*s is not a generation that this kernel has: ignored\n";
    case Warning::unknown_va_bits:
      return "\001cpkvmemu.va_bits=%.*s is neither 39 nor 48: ignored\n";
    case Warning::unknown_iommu:
      return "\001cpkvmemu.iommu=%.*s is neither 'null' nor 'none': ignored\n";
    case Warning::unknown_unresolved:
      return "\001cpkvmemu.unresolved=%.*s is neither 'refuse' nor 'stub': ignored\n";
    case Warning::unknown_mode:
      return "\001ckvm-arm.mode=%.*s is not a mode that this kernel has: KVM stays off\n";
    case Warning::unknown_as_shipped:
      return "\001cpkvmemu.as_shipped=%.*s is neither '0' nor '1': ignored\n";
    case Warning::unknown_flag:
      return "\001c'%.*s' for a flag of pkvmemu.* is neither '0' nor '1': ignored\n";
  }
  return "";
}

}  // namespace pkvmemu::host
