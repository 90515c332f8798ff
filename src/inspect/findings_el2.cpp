// SPDX-License-Identifier: GPL-2.0-only
// Checks of a module's EL2 half: what the pKVM loader looks at, and what EL2 code must not do.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "image/fp_code.h"
#include "image/relocate.h"
#include "inspect/problems.h"
#include "pkvm/el2_import.h"
#include "support/address.h"

namespace pkvmemu::inspect {
namespace {

using image::Section;
using pkvm::Errno;

constexpr std::uint64_t pointer_size = 8;

/// What compilers and habits bring into EL2 code, and what to do about each.
struct HypAdvice {
  std::string_view name;
  std::string_view advice;
};

constexpr std::array hyp_advice = {
    HypAdvice{"memcpy",
              "the compiler makes calls to it: define memcpy in the EL2 half, or use "
              "ops->memcpy"},
    HypAdvice{"memset",
              "the compiler makes calls to it: define memset in the EL2 half, or use "
              "ops->memset"},
    HypAdvice{"__stack_chk_fail", "compile the EL2 half with -fno-stack-protector"},
    HypAdvice{"__stack_chk_guard", "compile the EL2 half with -fno-stack-protector"},
    HypAdvice{"_printk", "EL2 has no printk: use ops->puts and ops->putx64"},
};

void check_hyp_reloc(Problems& out) {
  if (!out.facts.has_hyp || out.facts.has_hyp_reloc) return;
  out.add(
      Level::refused, Errno::enoexec, "it has .hyp.text but no .hyp.reloc",
      "run gen-hyprel over the EL2 object and link its output: the kernel's Makefile.module and "
      "our builder do");
}

/// An alignment above a page in a module of 4 KiB pages: module memory starts on pages.
void check_wide_alignment(Problems& out, const SectionFact& section) {
  if (out.facts.hyp_page_size != page_size || section.alignment <= page_size) return;
  out.add(Level::note, Errno::none,
          fmt::format("{} asks for an alignment of {} bytes, kernels keep {} at most", section.name,
                      section.alignment, page_size),
          "align at run time what needs more");
}

void check_page_size(Problems& out) {
  const std::uint64_t pages = out.facts.hyp_page_size;
  if (!out.facts.has_hyp || pages == page_size) return;
  constexpr std::uint64_t kibibyte = 1024;
  out.add(Level::refused, Errno::enoexec,
          fmt::format("its EL2 sections are aligned to {} bytes: built for a kernel with {} KiB "
                      "pages",
                      pages, pages / kibibyte),
          "build it for 4 KiB pages: page arithmetic is compiled in, and a 4 KiB kernel has other "
          "symbol versions");
}

void check_alignment(Problems& out) {
  for (const SectionFact& section : out.facts.sections) {
    if (!section.at_el2) continue;
    if (section.alignment < page_size)
      out.add(Level::refused, Errno::einval,
              fmt::format("{} is aligned to {} bytes, not to pages of {}", section.name,
                          section.alignment, page_size),
              "link it with the kernel's module linker script, which aligns the EL2 sections");
    check_wide_alignment(out, section);
    if (section.size % page_size != 0)
      out.add(
          Level::broken, Errno::none,
          fmt::format("{} is {:#x} bytes, not whole pages: what lies behind it in its last page "
                      "goes to the hypervisor, too",
                      section.name, section.size),
          "link it with the kernel's module linker script, which pads the EL2 sections");
  }
}

void check_hyp_relocation_types(Problems& out) {
  if (!out.facts.generation) return;
  std::vector<std::string> forbidden;
  std::vector<std::string> to_el1;
  for (const Relocation& own : out.module.relocations()) {
    if (!out.module.is_hyp(own.place.section)) continue;
    const image::RelocRow* row = image::find_reloc(own.type);
    if (row == nullptr) continue;  // said already
    if (!is_allowed_at_el2(*out.facts.generation, own.type))
      forbidden.push_back(fmt::format("{} at {}", row->name, out.module.describe(own.place)));
    const auto target = out.module.target_of(own);
    const bool needs_place = row->base != image::RelocBase::none;
    if (needs_place && target && !out.module.is_hyp(target->section))
      to_el1.push_back(fmt::format("{} uses {}", out.module.describe(own.place),
                                   out.module.symbol_name(own.symbol)));
  }
  if (!forbidden.empty())
    out.add(Level::broken, Errno::none,
            fmt::format("relocations that EL2 code cannot have: {}", examples(forbidden)),
            "they store an EL1 address, or need a table that EL2 has not: compile with "
            "-mcmodel=small -fno-pic; a kernel's build stops at them");
  if (!to_el1.empty())
    out.add(Level::broken, Errno::none,
            fmt::format("EL2 code uses parts of the EL1 half, which EL2 has not mapped: {}",
                        examples(to_el1)),
            "move what is used into the EL2 half");
}

/// Words with a pointer in the EL2 half, and the words that .hyp.reloc tells the kernel to move.
void check_pointers(Problems& out) {
  const Section* table = out.section(".hyp.reloc");
  if (table == nullptr || !out.facts.has_hyp) return;
  std::set<Place> listed;
  for (const Relocation& own : out.module.relocations_of(table->index))
    if (const auto target = out.module.target_of(own)) listed.insert(*target);
  std::vector<std::string> forgotten;
  for (const Relocation& own : out.module.relocations()) {
    if (own.type != image::reloc_abs64 || !out.module.is_hyp(own.place.section)) continue;
    if (!listed.contains(own.place)) forgotten.push_back(out.module.describe(own.place));
  }
  std::vector<std::string> stray;
  for (const Place place : listed) {
    const bool inside = out.module.is_hyp(place.section) && place.offset % pointer_size == 0 &&
                        out.module.relocation_at(place) != nullptr;
    if (!inside) stray.push_back(out.module.describe(place));
  }
  if (!forgotten.empty())
    out.add(Level::broken, Errno::none,
            fmt::format("pointers that .hyp.reloc does not list keep EL1 addresses: {}",
                        examples(forgotten)),
            "run gen-hyprel over the linked EL2 object, not an earlier one");
  if (!stray.empty())
    out.add(Level::broken, Errno::none,
            fmt::format(".hyp.reloc lists places that hold no EL2 pointer: {}", examples(stray)),
            "run gen-hyprel over the linked EL2 object, not an earlier one");
}

void check_alternatives(Problems& out) {
  for (const AlternativeFact& alternative : out.facts.alternatives)
    if (alternative.callback && find_hyp_section(alternative.section) != nullptr)
      out.add(Level::broken, Errno::none,
              fmt::format("{} callback alternatives in {}", alternative.count, alternative.section),
              "EL2 code cannot use them: their callbacks are the kernel's");
}

void check_load_call(Problems& out) {
  if (!out.facts.has_hyp) {
    out.add(Level::note, Errno::none, "it has no EL2 half (no .hyp.text): an ordinary module", "");
    return;
  }
  const bool calls =
      std::ranges::find(out.facts.imports, load_call, &ImportFact::name) != out.facts.imports.end();
  if (!calls)
    out.add(Level::note, Errno::none,
            fmt::format("its EL2 half is never loaded: it does not import {}", load_call),
            "call pkvm_load_el2_module() in the module's init");
  else if (out.facts.inits.empty())
    out.add(Level::note, Errno::none, "its EL2 init function was not found",
            "was it stripped of function symbols?");
}

void check_kcfi(Problems& out) {
  const Facts& facts = out.facts;
  if (!facts.generation || facts.inits.empty()) return;
  const pkvm::GenerationInfo& info = pkvm::info(*facts.generation);
  const Kcfi expected = kernel_kcfi[static_cast<std::size_t>(*facts.generation)];
  if (facts.odd_kcfi_word) {
    out.add(Level::phone, Errno::none,
            fmt::format("the word before {} ({:#010x}) is not the kCFI hash of an init function",
                        facts.inits.front().symbol, *facts.odd_kcfi_word),
            "its type must be int (const struct pkvm_module_ops *)");
    return;
  }
  if (expected == Kcfi::none || facts.kcfi == expected) return;
  out.add(
      Level::phone, Errno::none,
      fmt::format("kCFI words are {}, a GKI {} kernel checks {} ones: a hyp panic (brk #0x82xx) "
                  "when it calls the module",
                  facts.kcfi == Kcfi::none ? "absent" : name_of(facts.kcfi), info.kmi,
                  name_of(expected)),
      expected == Kcfi::plain ? "compile the EL2 half with -fsanitize=kcfi"
                              : "compile the EL2 half with -fsanitize=kcfi "
                                "-fsanitize-cfi-icall-experimental-normalize-integers");
}

void check_handlers(Problems& out) {
  if (out.facts.kcfi == Kcfi::none) return;
  for (const Candidate& handler : out.facts.handlers) {
    if (!handler.kcfi_word) continue;
    const HashRow* row = find_hash(*handler.kcfi_word);
    if (row != nullptr && row->role == Role::handler) continue;
    out.add(
        Level::note, Errno::none,
        fmt::format("the EL1 half names {}, which has not the type of a handler", handler.symbol),
        "as a hypercall handler it would fail its kCFI check; its type must be void (struct "
        "user_pt_regs *)");
  }
}

void check_ops(Problems& out) {
  if (!out.facts.generation) return;
  const pkvm::GenerationInfo& info = pkvm::info(*out.facts.generation);
  std::vector<std::string> missing;
  for (const OpUse& use : out.facts.ops) {
    if (use.state == OpState::missing) missing.push_back(use.name);
    if (use.state == OpState::outside)
      out.add(
          Level::broken, Errno::none,
          fmt::format("it reads slot {} of the ops, {} has {}", use.slot, info.kmi, info.ops_slots),
          "build it with the headers of its kernel");
    if (use.state == OpState::later)
      out.add(
          use.calls != 0 ? Level::phone : Level::note, Errno::none,
          fmt::format("slot {} of the ops is {} from {} on, and NULL in {}", use.slot, use.name,
                      use.since, info.kernel_release),
          "calling it is a jump to 0 at EL2 where the release is older: look whether it is there");
    if (use.state == OpState::reserved)
      out.add(use.calls != 0 ? Level::phone : Level::note, Errno::none,
              fmt::format("slot {} of the ops is a reserve (NULL) in {}", use.slot,
                          info.kernel_release),
              "calling it is a jump to 0 at EL2; a later release of the branch may have given it a "
              "meaning");
  }
  if (!missing.empty())
    out.add(Level::note, Errno::none,
            fmt::format("ops that pkvm-emu does not have yet: {}", fmt::join(missing, ", ")),
            "a call is reported and answered with a default (exit code 15)");
}

void check_fp(Problems& out) {
  const auto fp = image::find_fp_code(out.module.file());
  if (!fp) return;
  out.add(Level::broken, Errno::none,
          fmt::format("EL2 code uses FP and SIMD registers: {} instruction{}, the first at {}",
                      fp->count, fp->count == 1 ? "" : "s", fp->where),
          "compile the EL2 half with -mgeneral-regs-only: nobody saves these registers, which hold "
          "values of what the host runs, and nothing traps");
}

void check_empty_sections(Problems& out) {
  if (!out.facts.has_hyp || !out.facts.generation) return;
  std::vector<std::string_view> empty;
  for (const HypSectionRow& row : hyp_section_rows) {
    if (row.since > *out.facts.generation) continue;
    const bool present = std::ranges::any_of(out.facts.sections, [&](const SectionFact& section) {
      return section.name == row.name && section.at_el2;
    });
    if (!present) empty.push_back(row.name);
  }
  if (empty.empty()) return;
  out.add(Level::note, Errno::none,
          fmt::format("{} {} empty: on released {} kernels a failing EL2 init then brings the "
                      "hypervisor down instead of failing the load",
                      fmt::join(empty, ", "), empty.size() == 1 ? "is" : "are",
                      pkvm::info(*out.facts.generation).kmi),
          "let the EL2 init fail only when a panic is what you want");
}

}  // namespace

namespace {

bool is_hyp_name(std::string_view name) {
  return name.starts_with(image::hyp_symbol_prefix);
}

/// Functions of other modules' EL2 halves can be called, from 6.12 on, and nothing else (2.7).
void check_uses_of_imports(Problems& out) {
  std::vector<std::string> other_uses;
  std::vector<std::string> pointers;
  for (const Relocation& own : out.module.relocations()) {
    if (!out.module.is_hyp(own.place.section)) continue;
    // A symbol that does not exist is told elsewhere.
    const auto symbols = out.module.symbols();
    if (own.symbol == 0 || own.symbol >= symbols.size() || !symbols[own.symbol].is_undefined())
      continue;
    const image::RelocRow* row = image::find_reloc(own.type);
    if (row == nullptr || own.type == image::reloc_call26) continue;
    const bool in_text = out.module.sections()[own.place.section].name == ".hyp.text";
    (in_text ? other_uses : pointers)
        .push_back(fmt::format("{} against {} at {}", row->name,
                               image::without_hyp_prefix(out.module.symbol_name(own.symbol)),
                               out.module.describe(own.place)));
  }
  const std::string_view advice =
      "only calls (R_AARCH64_CALL26) can be imported: call it by its name, without a pointer to "
      "it, and compile with -fno-optimize-sibling-calls";
  if (!other_uses.empty())
    out.add(Level::refused, Errno::einval,
            fmt::format("uses of another module's EL2 half that are no calls: {}",
                        examples(other_uses)),
            std::string(advice));
  if (!pointers.empty())
    out.add(Level::broken, Errno::none,
            fmt::format("pointers to another module's EL2 half, which lead to wrong addresses: {}",
                        examples(pointers)),
            std::string(advice));
}

/// What another module has: named, with what is wrong with it.
void check_exporters(Problems& out) {
  std::map<std::string_view, std::vector<std::string_view>> imports;
  std::map<std::string_view, std::vector<std::string_view>> expected;
  std::vector<std::string_view> first;
  for (const ImportFact& import : out.facts.imports) {
    if (!is_hyp_name(import.name)) continue;
    const std::string_view plain = image::without_hyp_prefix(import.name);
    if (import.state == ImportState::dependency) imports[import.from].push_back(plain);
    if (import.state == ImportState::perhaps) expected[import.from].push_back(plain);
    if (import.is_first_of_text) first.push_back(plain);
  }
  for (const auto& [module, names] : imports)
    out.add(Level::note, Errno::none,
            fmt::format("EL2 code calls {} of {}", fmt::join(names, ", "), module),
            fmt::format("{}'s EL2 half has to be loaded first", module));
  for (const auto& [module, names] : expected)
    out.add(
        Level::note, Errno::none,
        fmt::format("{} must export {} of its EL2 half", module, fmt::join(names, ", ")),
        fmt::format("it was not looked at: put {}.ko beside this file to have it checked", module));
  if (!first.empty())
    out.add(Level::refused, Errno::einval,
            fmt::format("the first thing of another module's .hyp.text is not found: {}",
                        fmt::join(first, ", ")),
            "put another function before it there, or build that module with kCFI");
}

}  // namespace

void check_hyp_imports(Problems& out) {
  const bool can_import = out.facts.generation && pkvm::has_el2_imports(*out.facts.generation);
  std::vector<std::string> names;
  std::vector<std::string> advice;
  for (const ImportFact& import : out.facts.imports) {
    const bool found =
        import.state == ImportState::dependency || import.state == ImportState::perhaps;
    if (!is_hyp_name(import.name) || import.state == ImportState::weak) continue;
    if (found && (can_import || !import.at_el2)) continue;
    const std::string_view plain = image::without_hyp_prefix(import.name);
    names.emplace_back(plain);
    for (const HypAdvice& row : hyp_advice)
      if (row.name == plain) advice.emplace_back(row.advice);
  }
  if (can_import) {
    check_uses_of_imports(out);
    check_exporters(out);
  }
  if (names.empty()) return;
  advice.emplace_back(can_import ? "define it in the EL2 half, or list the module that exports it "
                                   "as a dependency"
                                 : "define it in the EL2 half: before android16-6.12 EL2 code "
                                   "cannot import");
  out.add(
      Level::refused, Errno::enoent,
      fmt::format("EL2 code uses what its EL2 half does not define: {}", fmt::join(names, ", ")),
      fmt::format("{}", fmt::join(advice, "; ")));
}

void check_el2(Problems& out) {
  constexpr std::array checks = {
      check_hyp_reloc, check_page_size,    check_alignment, check_hyp_relocation_types,
      check_pointers,  check_alternatives, check_load_call, check_kcfi,
      check_handlers,  check_ops,          check_fp,        check_empty_sections};
  for (const auto check : checks)
    check(out);
}

}  // namespace pkvmemu::inspect
