// SPDX-License-Identifier: GPL-2.0-only
#include "host/exports.h"

#include <array>

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

struct Export {
  std::string_view name;
  const char* address;
};

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define PKVM_EXPORT(exported, symbol) Export{.name = #exported, .address = row_##exported},
constexpr Export table[] = {
#include "pkvm/exports.def"
};
#undef PKVM_EXPORT

}  // namespace

std::optional<std::uint64_t> exported_symbol(std::string_view name) {
  for (const Export& row : table)
    if (row.name == name) return reinterpret_cast<std::uint64_t>(row.address);
  return std::nullopt;
}

}  // namespace pkvmemu::host
