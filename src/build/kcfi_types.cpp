// SPDX-License-Identifier: GPL-2.0-only
#include "build/kcfi_types.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "build/kmi.h"

namespace pkvmemu::build {
namespace {

/// The word before a function is the hash of its type; nothing for what is no function.
std::optional<std::uint32_t> hash_of(const ObjectFile& object, std::string_view function) {
  constexpr std::uint8_t function_type = 2;
  const Symbol* symbol = object.find_defined_symbol(function);
  if (symbol == nullptr || symbol->type != function_type) return std::nullopt;
  if (symbol->section >= object.sections().size()) return std::nullopt;
  const auto content = object.sections()[symbol->section].data;
  std::uint32_t hash = 0;
  if (symbol->value < sizeof(hash) || symbol->value > content.size()) return std::nullopt;
  std::memcpy(&hash, content.data() + symbol->value - sizeof(hash), sizeof(hash));
  return hash;
}

}  // namespace

std::vector<std::string> functions_of_other_types(const ObjectFile& el1, const ObjectFile& el2) {
  // Clang leaves such a symbol, the hash as its value, for each declared function whose address is
  // taken.
  const std::string declared = fmt::format("__kcfi_typeid_{}", nvhe_prefix);
  std::vector<std::string> different;
  for (const Symbol& symbol : el1.symbols()) {
    if (!symbol.name.starts_with(declared)) continue;
    const std::string_view function = symbol.name.substr(declared.size());
    const auto defined = hash_of(el2, function);
    if (defined && *defined != symbol.value) different.emplace_back(function);
  }
  return different;
}

}  // namespace pkvmemu::build
