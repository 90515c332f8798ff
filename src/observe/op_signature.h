// SPDX-License-Identifier: GPL-2.0-only
// What an op takes and answers, as text for people: by the C prototypes of
// include/pkvm/ops.def.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pkvm/ops.h"

namespace pkvmemu::observe {

struct OpSignature {
  std::string_view returns;     ///< "int"
  std::string_view parameters;  ///< "(u64 pfn, enum kvm_pgtable_prot prot)"
};

/// In the order of pkvm::op_rows.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define PKVM_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) \
  OpSignature{#returns, #parameters},
inline constexpr auto op_signatures = std::to_array<OpSignature>({
#include "pkvm/ops.def"
});
// NOLINTEND(cppcoreguidelines-macro-usage)
static_assert(op_signatures.size() == pkvm::op_rows.size());

struct OpParameter {
  std::string type;  ///< "void *", "int (*)(u64)"
  std::string_view name;

  bool operator==(const OpParameter&) const = default;
};

/// A parameter list taken apart; commas inside function types do not count.
std::vector<OpParameter> parameters_of(std::string_view parameters);

/// "pfn=0x50000", "prot=R|W", "s=\"text\"": one for each parameter. `x` are x0 and up, `text` what
/// a string argument points to.
std::vector<std::string> argument_texts(std::size_t row, std::span<const std::uint64_t> x,
                                        std::string_view text);

/// "-12 (ENOMEM)", "0x2000400020", "NULL", "true"; empty for void.
std::string result_text(std::size_t row, std::uint64_t x0);

}  // namespace pkvmemu::observe
