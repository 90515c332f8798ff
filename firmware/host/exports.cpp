// SPDX-License-Identifier: GPL-2.0-only
#include "host/exports.h"

#include <array>

#include "pkvm/exports.h"

namespace pkvmemu::host {

namespace {

#pragma GCC visibility push(hidden)
extern "C" {
// Declared as data, so that the table is constant whatever the type.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list, declarations and the table from it.
#define PKVM_EXPORT(exported, symbol) extern const char row_##exported[] asm(#symbol);
#include "pkvm/exports.def"
#undef PKVM_EXPORT
}
#pragma GCC visibility pop

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define PKVM_EXPORT(exported, symbol) row_##exported,
constexpr auto addresses = std::to_array<const char*>({
#include "pkvm/exports.def"
});
#undef PKVM_EXPORT

}  // namespace

std::optional<std::uint64_t> exported_symbol(std::string_view name) {
  const auto row = pkvm::find_export(name);
  if (!row) return std::nullopt;
  return reinterpret_cast<std::uint64_t>(addresses[*row]);
}

}  // namespace pkvmemu::host
