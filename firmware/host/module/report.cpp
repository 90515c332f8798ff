// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/report.h"

#include <iterator>

namespace pkvmemu::kmod {

void report_places(KernelServices& services, const Module& module) {
  constexpr std::size_t in_one = std::size(pkvm::event::Record{}.value);
  const auto start = [&] {
    return Event(pkvm::event::Kind::module_el1_placed).name(module.name());
  };
  Event event = start();
  std::size_t used = 0;
  for (std::uint32_t i = 0; i < module.sections.size(); ++i) {
    const std::uint64_t address = module.sections[i].address;
    if (address == 0) continue;
    event.value(used, pkvm::event::pack_section({.section = i, .address = address}));
    if (++used < in_one) continue;
    services.event(event.record());
    event = start();
    used = 0;
  }
  if (used != 0) services.event(event.record());
}

std::string_view describe_load(const LoadError& error, int init_result, std::span<char> buffer) {
  const bool behind_init = init_result < 0 && error.problem != Problem::init_failed &&
                           error.problem != Problem::init_failed_late &&
                           error.problem != Problem::hyp_init_failed;
  if (!behind_init) return describe(error, buffer);
  LoadError init;
  init.problem = Problem::init_failed;
  init.status = init_result;
  const std::size_t used = describe(init, buffer).size();
  image::TextWriter out(buffer.subspan(used));
  out.put(": ");
  const std::size_t colon = out.written().size();
  const std::size_t cause = describe(error, buffer.subspan(used + colon)).size();
  return {buffer.data(), used + colon + cause};
}

ModuleMessage::ModuleMessage(std::string_view module, const LoadError& error) {
  image::TextWriter out(text_);
  out.put(module);
  out.put(": ");
  std::array<char, 192> words{};
  out.put(describe(error, words));
  length_ = out.written().size();
}

}  // namespace pkvmemu::kmod
