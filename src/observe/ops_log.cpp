// SPDX-License-Identifier: GPL-2.0-only
#include "observe/ops_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>

#include "observe/op_signature.h"
#include "support/fixed_text.h"

namespace pkvmemu::observe {
namespace {

using pkvm::event::Kind;
using pkvm::event::Record;

/// First of x0 to x7 in an op_begin record.
constexpr std::size_t first_argument = 2;
constexpr std::size_t argument_registers = 8;

}  // namespace

std::optional<std::string> OpsLog::add(const machine::Event& event) {
  const Record& record = event.record;
  if (!event.from_hyp) {
    if (record.kind == Kind::module_el2_placed)
      places_.push_back({.module = fixed_text(record.name),
                         .begin = record.value[0],
                         .size = record.value[1],
                         .text = record.value[2]});
    return std::nullopt;
  }
  if (record.kind == Kind::op_begin) begin(record);
  if (record.kind == Kind::op_end) return end(record);
  return std::nullopt;
}

void OpsLog::begin(const Record& record) {
  const std::uint64_t row = record.value[0];
  OpCall call;
  call.name = fixed_text(record.name);
  call.caller = record.value[1];
  call.where = where(call.caller);
  if (row < pkvm::op_rows.size())
    call.arguments =
        argument_texts(row, std::span(record.value).subspan(first_argument, argument_registers),
                       fixed_text(record.text));
  open_.push_back(calls_.size());
  calls_.push_back(std::move(call));
}

std::optional<std::string> OpsLog::end(const Record& record) {
  if (open_.empty()) return std::nullopt;
  OpCall& call = calls_[open_.back()];
  open_.pop_back();
  const std::uint64_t row = record.value[0];
  call.result = row < pkvm::op_rows.size() ? result_text(row, record.value[1]) : "";
  return line_of(call);
}

/// The latest module there: addresses are never given out twice.
std::string OpsLog::where(std::uint64_t caller) const {
  for (const Place& place : std::views::reverse(places_)) {
    if (caller < place.begin || caller - place.begin >= place.size) continue;
    const std::string symbol = symbols_ && caller >= place.text
                                   ? symbols_(place.module, caller - place.text)
                                   : std::string();
    if (!symbol.empty()) return fmt::format("{} [{}]", symbol, place.module);
    return fmt::format("{}+{:#x}", place.module, caller - place.begin);
  }
  return {};
}

std::string line_of(const OpCall& call) {
  std::string line = fmt::format("op {}({})", call.name, fmt::join(call.arguments, ", "));
  if (!call.result)
    line += ": never returned";
  else if (!call.result->empty())
    line += " = " + *call.result;
  if (!call.where.empty()) line += "  " + call.where;
  return line;
}

}  // namespace pkvmemu::observe
