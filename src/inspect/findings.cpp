// SPDX-License-Identifier: GPL-2.0-only
// Checks of what an ordinary module loader looks at, and the order of all checks.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "image/relocate.h"
#include "inspect/problems.h"

namespace pkvmemu::inspect {
namespace {

using image::Section;
using pkvm::Errno;

/// What GKI kernels of our generations expect after the release (pkvm-abi.md 2.6).
constexpr std::string_view vermagic_flags = " SMP preempt mod_unload modversions aarch64";

void check_vermagic(Problems& out) {
  const Facts& facts = out.facts;
  if (!facts.generation) {
    const auto* known = pkvm::find_kernel(pkvm::refused_kernels, facts.vermagic);
    out.add(Level::refused, Errno::enoexec,
            fmt::format("version magic '{}' {}", facts.vermagic,
                        known == nullptr ? std::string("is of no known kernel")
                                         : fmt::format("cannot be run: {}", known->reason)),
            "build it for android14-6.1, android15-6.6 or android16-6.12");
    return;
  }
  if (const auto* row = pkvm::find_kernel(pkvm::stand_ins, facts.vermagic))
    out.add(Level::note, Errno::none,
            fmt::format("built for {}, runs as a module of {}: {}", row->kmi,
                        pkvm::info(row->runs_as).kmi, row->reason),
            fmt::format("what differs between those kernels is that of {} here",
                        pkvm::info(row->runs_as).kmi));
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

/// Where a value lies that is known but for the kernel's and the module's addresses.
struct Estimate {
  std::uint64_t symbol;
  std::uint64_t slack;  ///< how much further, either way
};

/// Any address of a kernel; modules and kernels lie near each other, well within the slack.
constexpr std::uint64_t some_kernel_address = 0xffff'ffc0'0000'0000;

std::optional<Estimate> estimate(const image::Symbol& symbol) {
  constexpr std::uint64_t module_window = std::uint64_t{1} << 28U;
  constexpr std::uint64_t kernel_window = std::uint64_t{1} << 33U;
  if (symbol.in_section())
    return Estimate{.symbol = some_kernel_address + symbol.entry.value, .slack = module_window};
  if (symbol.is_undefined() && symbol.binding() != image::elf::bind_weak)
    return Estimate{.symbol = some_kernel_address, .slack = kernel_window};
  return std::nullopt;
}

/// Wherever the module comes to lie, the value is out of the relocation's range; branches reach
/// further than by themselves, through veneers.
bool never_fits(const image::RelocRow& row, const Relocation& own, const image::Symbol& symbol) {
  const auto about = estimate(symbol);
  if (row.range == image::RelocRange::any || !about) return false;
  const bool branch = row.type == image::reloc_call26 || row.type == image::reloc_jump26;
  constexpr std::int64_t veneer_reach = std::int64_t{1} << 32U;
  const auto slack =
      static_cast<std::int64_t>(about->slack) + (branch ? veneer_reach : std::int64_t{0});
  const image::RelocLimits limits = image::reloc_limits(row);
  const std::int64_t value =
      image::reloc_value(row, about->symbol + static_cast<std::uint64_t>(own.addend),
                         some_kernel_address + own.place.offset);
  return value < limits.least - slack || value > limits.greatest + slack;
}

void check_sizes(Problems& out) {
  // What the loader gives one kind of a module's memory.
  constexpr std::uint64_t largest = std::uint64_t{128} << 20U;
  for (const Section& section : out.module.sections()) {
    if (!section.allocated() || section.header.size <= largest) continue;
    out.add(Level::refused, Errno::enomem,
            fmt::format("{} asks for {} bytes of memory, more than modules get", section.name,
                        section.header.size),
            "allocate at run time, or mend the file, if it is damaged");
  }
}

void check_relocations(Problems& out) {
  std::vector<std::string> unsupported;
  std::vector<std::string> outside;
  std::vector<std::string> overflowing;
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
    else if (never_fits(*row, own, out.module.symbols()[own.symbol]))
      overflowing.push_back(fmt::format("{} at {}+{:#x} against {}", row->name, section.name,
                                        own.place.offset, out.module.symbol_name(own.symbol)));
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
  if (!overflowing.empty())
    out.add(Level::refused, Errno::enoexec,
            fmt::format("relocations whose values never fit: {}", examples(overflowing)),
            "compile for the kernel (-mcmodel=small), or build it again, if the file is damaged");
}

}  // namespace

std::vector<Finding> find_problems(const ModuleIndex& module, const Facts& facts) {
  Problems problems{.module = module, .facts = facts, .found = {}};
  constexpr std::array checks = {
      check_vermagic, check_versions,     check_struct_module, check_common,      check_hyp_imports,
      check_imports,  check_rel_sections, check_sizes,         check_relocations, check_el2,
  };
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
