// SPDX-License-Identifier: GPL-2.0-only
// What is wrong with a module, in the order in which a kernel would come across it. Each check is a
// function that adds to the list; the table at the end is the order.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "image/relocate.h"
#include "inspect/parts.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::inspect {
namespace {

using image::Section;
using pkvm::Errno;
using pkvm::Generation;

constexpr std::uint64_t big_page = 16384;
constexpr std::uint64_t pointer_size = 8;
/// How many places one finding names.
constexpr std::size_t most_examples = 3;

/// What GKI kernels of our generations expect after the release (pkvm-abi.md 2.6).
constexpr std::string_view vermagic_flags = " SMP preempt mod_unload modversions aarch64";

struct Problems {
  const ModuleIndex& module;
  const Facts& facts;
  std::vector<Finding> found;

  void add(Level level, Errno error, std::string text, std::string advice) {
    found.push_back(
        {.level = level, .error = error, .text = std::move(text), .advice = std::move(advice)});
  }
  [[nodiscard]] const Section* section(std::string_view name) const {
    for (const Section& own : module.sections())
      if (own.index != 0 && own.name == name) return &own;
    return nullptr;
  }
};

/// "a, b, c and 4 more".
template <typename Range>
std::string examples(const Range& all) {
  std::vector<std::string> shown;
  for (const auto& item : all) {
    if (shown.size() == most_examples) break;
    shown.emplace_back(item);
  }
  const std::string text = fmt::format("{}", fmt::join(shown, ", "));
  return all.size() <= most_examples
             ? text
             : fmt::format("{} and {} more", text, all.size() - shown.size());
}

void check_vermagic(Problems& out) {
  const Facts& facts = out.facts;
  if (!facts.generation) {
    out.add(Level::refused, Errno::enoexec,
            fmt::format("version magic '{}' is of no known kernel", facts.vermagic),
            "build it for android14-6.1, android15-6.6 or android16-6.12");
    return;
  }
  if (facts.vermagic.ends_with(vermagic_flags)) return;
  out.add(Level::phone, Errno::enoexec,
          fmt::format("version magic '{}' does not end in '{}', which GKI kernels compare",
                      facts.vermagic, vermagic_flags.substr(1)),
          "build it against a GKI configuration");
}

void check_versions(Problems& out) {
  if (out.facts.has_versions) return;
  out.add(Level::phone, Errno::enoexec,
          "no __versions section: a kernel with MODVERSIONS, as GKI is, refuses the module",
          "for a phone, build it in a kernel tree, where modpost adds the section");
}

void check_struct_module(Problems& out) {
  if (!out.facts.generation) return;
  const pkvm::GenerationInfo& info = pkvm::info(*out.facts.generation);
  if (out.facts.struct_module_size == info.module.size) return;
  out.add(
      Level::note, Errno::none,
      fmt::format("struct module is {} bytes, a GKI-configured {} kernel's is {}",
                  out.facts.struct_module_size, info.kmi, info.module.size),
      "it was built with another configuration; check that it is that of the kernel to load it");
}

void check_common(Problems& out) {
  std::vector<std::string> names;
  for (const image::Symbol& symbol : out.module.symbols())
    if (symbol.entry.section == image::elf::index_common) names.emplace_back(symbol.name);
  if (names.empty()) return;
  out.add(Level::refused, Errno::enoexec, fmt::format("common symbols: {}", examples(names)),
          "compile with -fno-common");
}

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

void check_hyp_imports(Problems& out) {
  std::vector<std::string> names;
  std::vector<std::string> advice;
  for (const ImportFact& import : out.facts.imports) {
    if (!import.name.starts_with(image::hyp_symbol_prefix)) continue;
    if (import.state != ImportState::missing && import.state != ImportState::perhaps) continue;
    const std::string_view plain = image::without_hyp_prefix(import.name);
    names.emplace_back(plain);
    for (const HypAdvice& row : hyp_advice)
      if (row.name == plain) advice.emplace_back(row.advice);
  }
  if (names.empty()) return;
  const bool can_import = out.facts.generation == Generation::android16_6_12;
  advice.emplace_back(can_import ? "define it in the EL2 half, or list the module that exports it "
                                   "as a dependency"
                                 : "define it in the EL2 half: before android16-6.12 EL2 code "
                                   "cannot import");
  out.add(
      Level::refused, Errno::enoent,
      fmt::format("EL2 code uses what its EL2 half does not define: {}", fmt::join(names, ", ")),
      fmt::format("{}", fmt::join(advice, "; ")));
}

void check_imports(Problems& out) {
  std::vector<std::string_view> missing;
  std::map<std::string_view, std::vector<std::string_view>> perhaps;
  for (const ImportFact& import : out.facts.imports) {
    if (import.name.starts_with(image::hyp_symbol_prefix)) continue;
    if (import.state == ImportState::missing) missing.push_back(import.name);
    if (import.state == ImportState::perhaps) perhaps[import.from].push_back(import.name);
  }
  if (!missing.empty())
    out.add(Level::refused, Errno::enoent,
            fmt::format("unknown symbols: {}", fmt::join(missing, ", ")),
            "pkvm-emu's kernel does not export them and the module names no dependency that does; "
            "a phone's kernel may");
  for (const auto& [module, names] : perhaps)
    out.add(
        Level::note, Errno::none, fmt::format("{} must export {}", module, fmt::join(names, ", ")),
        fmt::format("it was not looked at: put {}.ko beside this file to have it checked", module));
}

void check_rel_sections(Problems& out) {
  for (const Section& section : out.module.sections()) {
    if (section.header.type != image::elf::section_rel) continue;
    if (section.header.info >= out.module.sections().size()) continue;
    const Section& target = out.module.sections()[section.header.info];
    if (!target.allocated()) continue;
    out.add(Level::refused, Errno::enoexec,
            fmt::format("{} has REL relocations, which AArch64 does not use", target.name),
            "link it with an AArch64 linker");
  }
}

void check_relocations(Problems& out) {
  std::vector<std::string> unsupported;
  std::vector<std::string> outside;
  for (const Relocation& own : out.module.relocations()) {
    const Section& section = out.module.sections()[own.place.section];
    if (!section.allocated()) continue;
    const image::RelocRow* row = image::find_reloc(own.type);
    if (row == nullptr) {
      unsupported.push_back(fmt::format("type {} at {}", own.type, out.module.describe(own.place)));
      continue;
    }
    const std::uint64_t size = image::reloc_size(*row);
    const bool fits = own.place.offset <= section.header.size &&
                      size <= section.header.size - own.place.offset &&
                      own.symbol < out.module.symbols().size();
    if (!fits)
      outside.push_back(fmt::format("{} at {}+{:#x}", row->name, section.name, own.place.offset));
  }
  if (!unsupported.empty())
    out.add(Level::refused, Errno::enoexec,
            fmt::format("relocations that the kernel's loader does not know: {}",
                        examples(unsupported)),
            "compile for the kernel: -mcmodel=small -fno-pic, no thread-local storage");
  if (!outside.empty())
    out.add(Level::refused, Errno::enoexec,
            fmt::format("relocations outside of what they patch: {}", examples(outside)),
            "the file is damaged: build it again");
}

void check_hyp_reloc(Problems& out) {
  if (!out.facts.has_hyp || out.facts.has_hyp_reloc) return;
  out.add(
      Level::refused, Errno::enoexec, "it has .hyp.text but no .hyp.reloc",
      "run gen-hyprel over the EL2 object and link its output: the kernel's Makefile.module and "
      "our builder do");
}

void check_alignment(Problems& out) {
  for (const SectionFact& section : out.facts.sections) {
    if (!section.at_el2) continue;
    if (section.alignment < page_size)
      out.add(Level::refused, Errno::einval,
              fmt::format("{} is aligned to {} bytes, not to pages of {}", section.name,
                          section.alignment, page_size),
              "link it with the kernel's module linker script, which aligns the EL2 sections");
    else if (section.alignment >= big_page)
      out.add(Level::refused, Errno::enoexec,
              fmt::format("{} is aligned to {} bytes: built for a kernel with 16 KiB pages",
                          section.name, section.alignment),
              "build it for 4 KiB pages: page arithmetic is compiled in, and a 4 KiB kernel has "
              "other symbol versions");
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

constexpr std::array checks = {
    check_vermagic,
    check_versions,
    check_struct_module,
    check_common,
    check_hyp_imports,
    check_imports,
    check_rel_sections,
    check_relocations,
    check_hyp_reloc,
    check_alignment,
    check_hyp_relocation_types,
    check_pointers,
    check_alternatives,
    check_load_call,
    check_kcfi,
    check_handlers,
    check_ops,
    check_empty_sections,
};

}  // namespace

std::vector<Finding> find_problems(const ModuleIndex& module, const Facts& facts) {
  Problems problems{.module = module, .facts = facts, .found = {}};
  for (const auto check : checks)
    check(problems);
  // The worst first; within a level, in the order of the checks.
  std::vector<Finding> sorted;
  for (const Level level : {Level::refused, Level::broken, Level::phone, Level::note})
    for (Finding& finding : problems.found)
      if (finding.level == level) sorted.push_back(std::move(finding));
  return sorted;
}

}  // namespace pkvmemu::inspect
