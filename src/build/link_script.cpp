// SPDX-License-Identifier: GPL-2.0-only
#include "build/link_script.h"

#include <fmt/format.h>

#include <string_view>

#include "build/kmi.h"

namespace pkvmemu::build {
namespace {

// Notes that say nothing to a module loader, and what only the compiler had to see.
constexpr std::string_view discard =
    "  /DISCARD/ : { *(.discard .discard.*) *(.note.gnu.property) *(.note.GNU-stack) "
    "*(.llvm_addrsig) *(.comment) }\n";

// The kernel's loader refuses a module without the first three, and fills them itself.
constexpr std::string_view el1_sections =
    "  .plt 0 : { BYTE(0) }\n"
    "  .init.plt 0 : { BYTE(0) }\n"
    "  .text.ftrace_trampoline 0 : { BYTE(0) }\n"
    "  .text 0 : { *(.text .text.[0-9a-zA-Z_]*) }\n"
    "  .rodata 0 : { *(.rodata .rodata.[0-9a-zA-Z_]*) }\n"
    "  .data 0 : { *(.data .data.[0-9a-zA-Z_]*) }\n"
    "  .bss 0 : { *(.bss .bss.[0-9a-zA-Z_]* COMMON) }\n";

}  // namespace

std::string el2_link_script(pkvm::Generation generation) {
  std::string script = "SECTIONS {\n";
  for (const HypSection& section : hyp_sections) {
    if (section.since > generation) continue;
    const bool bounds = section.bounds_in == generation;
    const auto bound = [bounds](std::string_view end) {
      return bounds ? fmt::format("{}_{} = .; ", hyp_event_ids_bounds, end) : std::string();
    };
    script += fmt::format("  {0} : {{ \"{1}{0}\" = .; {3}*({2}) {4}}}\n", section.name,
                          hyp_section_symbol, section.inputs, bound("start"), bound("end"));
  }
  return script.append(discard) + "}\n";
}

std::string module_link_script(pkvm::Generation generation, Halves halves) {
  std::string script = "SECTIONS {\n";
  script += el1_sections;
  if (halves == Halves::el1_and_el2) {
    for (const HypSection& section : hyp_sections) {
      if (section.since > generation || section.use != HypUse::mapped) continue;
      script += fmt::format("  {0} 0 : ALIGN({1}) {{ *({0}) . = ALIGN({1}); }}\n", section.name,
                            module_page_size);
    }
    script += "  .hyp.reloc 0 : ALIGN(4) { *(.hyp.reloc) }\n";
    script += "  _hyp_events 0 : { *(_hyp_events SORT(_hyp_events.*)) }\n";
  }
  return script.append(discard) + "}\n";
}

}  // namespace pkvmemu::build
