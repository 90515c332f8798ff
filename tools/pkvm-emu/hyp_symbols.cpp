// SPDX-License-Identifier: GPL-2.0-only
#include "hyp_symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "image/ko.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

constexpr std::string_view hyp_text = ".hyp.text";
constexpr unsigned symbol_function = 2;  // STT_FUNC

/// Start of each function in .hyp.text.
using Functions = std::map<std::uint64_t, std::string>;

Functions functions_of(const std::string& path) {
  Functions functions;
  const auto bytes = read_file(path);
  if (!bytes) return functions;
  const auto ko = image::KoFile::open(*bytes);
  if (!ko) return functions;
  const auto text = ko->elf().find_section(hyp_text);
  for (std::uint32_t i = 0; text && i < ko->elf().symbol_count(); ++i) {
    const auto symbol = ko->elf().symbol(i);
    if (!symbol || symbol->entry.section != text->index || symbol->type() != symbol_function)
      continue;
    functions[symbol->entry.value] = image::without_hyp_prefix(symbol->name);
  }
  return functions;
}

class SymbolCache {
 public:
  explicit SymbolCache(std::span<const observe::ModuleRequest> modules)
      : modules_(modules.begin(), modules.end()) {}

  std::string name(std::string_view module, std::uint64_t offset) {
    const auto request = std::ranges::find(modules_, module, &observe::ModuleRequest::name);
    if (request == modules_.end() || request->file.empty()) return {};
    const auto [entry, fresh] = by_file_.try_emplace(request->file);
    if (fresh) entry->second = functions_of(request->file);
    const Functions& functions = entry->second;
    // A return address lies behind the call, which may be its function's last instruction.
    const auto after = functions.lower_bound(offset);
    if (after == functions.begin()) return {};
    const auto& [start, function] = *std::prev(after);
    return fmt::format("{}+{:#x}", function, offset - start);
  }

 private:
  std::vector<observe::ModuleRequest> modules_;
  std::map<std::string, Functions> by_file_;
};

}  // namespace

observe::HypSymbols hyp_symbols(std::span<const observe::ModuleRequest> modules) {
  const auto cache = std::make_shared<SymbolCache>(modules);
  return [cache](std::string_view module, std::uint64_t offset) {
    return cache->name(module, offset);
  };
}

}  // namespace pkvmemu::tool
