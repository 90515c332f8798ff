// SPDX-License-Identifier: GPL-2.0-only
#include "attack_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/vm/attack.h"

namespace pkvmemu::tool {
namespace {

std::string remarks(const host::Attack& attack) {
  std::string text;
  bool fatal = false;
  for (const pkvm::GenerationInfo& generation : pkvm::generations) {
    if (!exists_in(attack, generation.id)) text += fmt::format("; not in {}", generation.kmi);
    fatal = fatal || is_fatal(attack, generation.id);
  }
  return fatal ? text + "; ends the run, so only by its full name" : text;
}

}  // namespace

std::string attack_list() {
  std::size_t width = 0;
  for (const host::Attack& attack : host::attacks())
    width = std::max(width, attack.name.size());
  std::string text;
  for (const host::Attack& attack : host::attacks())
    text += fmt::format("{:{}}  {}{}\n", attack.name, width, attack.says, remarks(attack));
  return text;
}

bool names_an_attack(std::string_view pattern) {
  return std::ranges::any_of(host::attacks(), [pattern](const host::Attack& attack) {
    return host::matches(pattern, attack.name);
  });
}

}  // namespace pkvmemu::tool
