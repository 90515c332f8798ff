// SPDX-License-Identifier: GPL-2.0-only
// The declared stubs of our EL1 kernel, as data; stubs.def is where they come from. A module that
// imports one gets a function that reports its calls and answers as the row says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pkvm/errno.h"
#include "pkvm/name_order.h"

namespace pkvm {

/// What a stub returns; stubs.def says it in words.
enum class StubReturns : std::uint8_t { nothing, number, pointer, argument, object };

struct DeclaredStub {
  std::string_view name;
  StubReturns returns = StubReturns::nothing;
  Errno error = Errno::none;
};

// NOLINTBEGIN(cppcoreguidelines-macro-usage): one list, many uses.
#define PKVM_STUB(stub, what, number, why) \
  DeclaredStub{.name = #stub, .returns = StubReturns::what, .error = Errno::number},
inline constexpr auto declared_stubs = std::to_array<DeclaredStub>({
#include "pkvm/stubs.def"
});
#undef PKVM_STUB

/// Why each answers what it does; not for firmware.
#define PKVM_STUB(stub, what, number, why) std::string_view{why},
inline constexpr auto stub_reasons = std::to_array<std::string_view>({
#include "pkvm/stubs.def"
});
#undef PKVM_STUB
// NOLINTEND(cppcoreguidelines-macro-usage)

inline constexpr auto stub_order =
    order_of_names(declared_stubs, [](const DeclaredStub& row) { return row.name; });

/// The row of stubs.def with this name.
constexpr std::optional<std::size_t> find_stub(std::string_view name) {
  return find_name(
      declared_stubs, stub_order, [](const DeclaredStub& row) { return row.name; }, name);
}

}  // namespace pkvm
