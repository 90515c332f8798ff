// SPDX-License-Identifier: GPL-2.0-only
// The log of ops (--log-ops): the guest's events op_begin and op_end, paired, decoded, and told
// where they came from. Fed event by event, so that lines can be shown as they happen.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/machine.h"

namespace pkvmemu::observe {

/// One call of an op.
struct OpCall {
  std::string name;
  std::vector<std::string> arguments;  ///< "pfn=0x50000"
  std::optional<std::string> result;   ///< none: it never returned; empty: void
  std::uint64_t caller = 0;            ///< hyp VA it returns to
  std::string where;                   ///< "system_alloc+0x1c [system]", "system+0x5c4", or empty
};

/// The function at an offset in a module's .hyp.text: "symbol+0x10"; empty when it is not known.
using HypSymbols = std::function<std::string(std::string_view module, std::uint64_t offset)>;

class OpsLog {
 public:
  explicit OpsLog(HypSymbols symbols = {}) : symbols_(std::move(symbols)) {}

  /// The line of a call that this event ended.
  std::optional<std::string> add(const machine::Event& event);
  const std::vector<OpCall>& calls() const { return calls_; }

 private:
  struct Place {
    std::string module;
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    std::uint64_t text = 0;
  };
  void begin(const pkvm::event::Record& record);
  std::optional<std::string> end(const pkvm::event::Record& record);
  std::string where(std::uint64_t caller) const;

  HypSymbols symbols_;
  std::vector<Place> places_;
  std::vector<OpCall> calls_;
  std::vector<std::size_t> open_;  ///< calls that have not returned, innermost last
};

/// "op hyp_alloc(size=0x100) = 0x2000400020  system_alloc+0x1c [system]".
std::string line_of(const OpCall& call);

}  // namespace pkvmemu::observe
