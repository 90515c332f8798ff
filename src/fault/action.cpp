// SPDX-License-Identifier: GPL-2.0-only
#include "fault/action.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "pkvm/errno.h"
#include "support/number.h"

namespace pkvmemu::fault {
namespace {

constexpr std::int64_t largest_errno = 4095;  // Linux: MAX_ERRNO
constexpr unsigned general_registers = 31;
constexpr unsigned register_bits = 64;

struct DeedRow {
  Deed deed;
  std::string_view name;
  std::string_view text;
};
constexpr std::array deed_rows = {
    DeedRow{Deed::skip, "skip", "skips the instruction"},
    DeedRow{Deed::repeat, "repeat", "executes the instruction twice"},
    DeedRow{Deed::power_cut, "power-cut", "cuts the power"},
    DeedRow{Deed::time_out, "time-out", "ends the budget"},
};

const DeedRow& row_of(Deed deed) {
  return *std::ranges::find(deed_rows, deed, &DeedRow::deed);
}

/// -12, 0xfffffffffffffff4 and 17.
std::optional<std::int64_t> signed_in(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto value = number_in(negative ? text.substr(1) : text);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(negative ? std::uint64_t{0} - *value : *value);
}

std::optional<std::int64_t> errno_named(std::string_view text) {
  const auto* const row = std::ranges::find(pkvm::errno_rows, text, &pkvm::ErrnoRow::name);
  if (row == pkvm::errno_rows.end()) return std::nullopt;
  return -static_cast<std::int64_t>(row->number);
}

std::optional<unsigned> register_in(std::string_view text) {
  if (!text.starts_with('x')) return std::nullopt;
  const auto index = number_in(text.substr(1));
  if (!index || *index >= general_registers) return std::nullopt;
  return static_cast<unsigned>(*index);
}

Result<FlipMemory> memory_at(std::string_view text, const Names& names) {
  if (const auto address = number_in(text)) return FlipMemory{.base = Va{*address}, .name = {}};
  const std::size_t plus = text.find('+');
  if (const auto reg = register_in(text.substr(0, plus))) {
    const auto offset =
        plus == std::string_view::npos ? std::uint64_t{0} : number_in(text.substr(plus + 1));
    if (!offset) return fail("'[{}]': expected a number of bytes behind the '+'", text);
    return FlipMemory{.base = FlipMemory::Register{.reg = *reg, .offset = *offset}, .name = {}};
  }
  const auto symbol = names.symbols.find(text);
  if (!symbol) return std::unexpected(symbol.error());
  return FlipMemory{.base = symbol->spot, .name = {}};
}

std::string text_of_answer(const Answer& answer) {
  std::vector<std::string> values;
  for (const std::int64_t value : answer.values) {
    const bool is_error = value < 0 && value >= -largest_errno;
    const std::string_view name = is_error ? pkvm::errno_name(value) : "";
    if (!name.empty())
      values.push_back(fmt::format("{} ({})", value, name));
    else
      values.push_back(fmt::format("{:#x}", static_cast<std::uint64_t>(value)));
  }
  return fmt::format("answers {}", fmt::join(values, ", "));
}

}  // namespace

std::optional<Deed> deed_of(std::string_view name) {
  const auto* const row = std::ranges::find(deed_rows, name, &DeedRow::name);
  if (row == deed_rows.end()) return std::nullopt;
  return row->deed;
}

std::string_view name_of(Deed deed) {
  return row_of(deed).name;
}

std::string deed_names() {
  std::vector<std::string_view> names;
  for (const DeedRow& row : deed_rows)
    names.push_back(row.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<Action> parse_flip(std::string_view text, const Names& names) {
  const std::size_t colon = text.rfind(':');
  const auto bit =
      colon == std::string_view::npos ? std::nullopt : number_in(text.substr(colon + 1));
  std::string_view what = text.substr(0, colon);
  if (!bit) return fail("flip={}: expected a register or [address], a colon, and a bit", text);
  if (what.starts_with('[') && what.ends_with(']')) {
    auto flip = memory_at(what.substr(1, what.size() - 2), names);
    if (!flip) return fail("flip={}: {}", text, flip.error().message);
    flip->name = what.substr(1, what.size() - 2);
    flip->bit = *bit;
    return *flip;
  }
  const auto reg = register_in(what);
  if (!reg || *bit >= register_bits)
    return fail("flip={}: expected x0 to x30 and a bit of 0 to 63, or [address] and a bit", text);
  return FlipRegister{.reg = *reg, .bit = static_cast<unsigned>(*bit)};
}

std::optional<std::int64_t> error_in(std::string_view text) {
  if (const auto named = errno_named(text)) return named;
  const auto number = signed_in(text);
  if (!number || *number == 0 || *number < -largest_errno || *number > largest_errno)
    return std::nullopt;
  return *number < 0 ? *number : -*number;
}

Result<Answer> parse_answer(std::string_view text, const Place& place, const Names& names) {
  if (const auto* const at = std::get_if<SitePlace>(&place)) {
    const Site& site = *find_site(names.sites, at->site);
    if (site.answer == pkvm::fault::Answer::nothing)
      return fail("return={}: {} answers with nothing, not with an error number", text, site.name);
    const auto error = error_in(text);
    if (!error) return fail("return={}: expected an error number, like ENOMEM or -12", text);
    return Answer{{*error}};
  }
  const auto named = errno_named(text);
  const auto value = named ? named : signed_in(text);
  if (!value) return fail("return={}: expected a number, like 17, 0x11, -12 or ENOMEM", text);
  return Answer{{*value}};
}

std::string text_of(const Action& action) {
  struct Text {
    std::string operator()(const Answer& answer) const { return text_of_answer(answer); }
    std::string operator()(const FlipRegister& flip) const {
      return fmt::format("flips bit {} of x{}", flip.bit, flip.reg);
    }
    std::string operator()(const FlipMemory& flip) const {
      return fmt::format("flips bit {} of the memory at {}", flip.bit, flip.name);
    }
    std::string operator()(Deed deed) const { return std::string(row_of(deed).text); }
  };
  return std::visit(Text{}, action);
}

}  // namespace pkvmemu::fault
