// SPDX-License-Identifier: GPL-2.0-only
#include "observe/world_lines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace pkvmemu::observe {
namespace {

std::string times(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// "3 reads, last 0x1, 1 write, last 0x2".
std::string use_text(const device::RegisterUse& use) {
  std::string text;
  if (use.reads != 0)
    text = fmt::format("{}, last {:#x}", times(use.reads, "read"), use.last_read.value_or(0));
  if (use.writes != 0)
    text += fmt::format("{}{}, last {:#x}", text.empty() ? "" : ", ", times(use.writes, "write"),
                        use.last_written.value_or(0));
  return text;
}

void add_region(const device::RegionUse& region, std::vector<VerdictLine>& lines) {
  if (region.reads == 0 && region.writes == 0) return;
  const std::string head = fmt::format("mmio {:#x} {}", region.base.value, region.name);
  lines.push_back({Tone::neutral, fmt::format("{}: {}, {}", head, times(region.reads, "read"),
                                              times(region.writes, "write"))});
  const bool has_registers =
      std::ranges::any_of(region.registers, &device::RegisterUse::is_scripted);
  for (const device::RegisterUse& use : region.registers) {
    if (use.reads == 0 && use.writes == 0) continue;
    const std::string name = use.name.empty() ? "" : " " + use.name;
    const bool unknown = has_registers && !use.is_scripted;
    lines.push_back(
        {Tone::neutral, fmt::format("mmio {:#x}+{:#x}{}: {}{}", region.base.value, use.offset, name,
                                    use_text(use), unknown ? " (no register there)" : "")});
  }
}

/// Without the zeros at its end, but one value at least.
std::string values_text(std::vector<std::uint64_t> values) {
  while (values.size() > 1 && values.back() == 0)
    values.pop_back();
  return fmt::format("{:#x}", fmt::join(values, ", "));
}

void add_call(const device::SecureUse& use, std::vector<VerdictLine>& lines) {
  if (!use.is_scripted && use.unanswered == 0) return;
  std::string text = fmt::format("el3 {:#x}{}{}: {}", use.function, use.name.empty() ? "" : " ",
                                 use.name, times(use.calls, "call"));
  if (use.is_scripted)
    text += fmt::format(", last ({}) = {}", values_text(use.last_arguments),
                        values_text(use.last_answer));
  if (use.unanswered != 0)
    text += fmt::format(", {}answered by nobody, so -1 (--el3 FILE answers {})",
                        use.unanswered == use.calls ? "" : fmt::format("{} ", use.unanswered),
                        use.unanswered == 1 ? "it" : "them");
  lines.push_back({Tone::neutral, std::move(text)});
}

}  // namespace

void add_world(const device::WorldUse& world, std::vector<VerdictLine>& lines) {
  for (const device::RegionUse& region : world.regions)
    add_region(region, lines);
  for (const device::SecureUse& use : world.secure_calls)
    add_call(use, lines);
  if (world.log_dropped != 0)
    lines.push_back({Tone::neutral, fmt::format("log of devices and EL3: the first {} lines are in "
                                                "the report, {} are not",
                                                world.log.size(), world.log_dropped)});
}

}  // namespace pkvmemu::observe
