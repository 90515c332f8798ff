// SPDX-License-Identifier: GPL-2.0-only
// What inspect() finds out about a module before any run. Plain values: text (facts_text) and JSON
// (facts_json, docs/inspect.md) are made from them. EL2 names are without the prefix of the symbol
// table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "inspect/tables.h"
#include "pkvm/errno.h"
#include "pkvm/generation.h"

namespace pkvmemu::inspect {

struct SectionFact {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t alignment = 0;
  bool at_el2 = false;     ///< mapped there
  std::string permission;  ///< "r-x": at EL2, else as EL1 gets it
};

struct SymbolFact {
  std::string name;
  std::string section;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool is_function = false;
  bool is_global = false;
};

/// A function that may be the EL2 init or a hypercall handler, and why.
struct Candidate {
  std::string symbol;
  std::uint64_t offset = 0;  ///< in .hyp.text
  std::optional<std::uint32_t> kcfi_word;
  bool certain = false;
  std::vector<std::string> evidence;
};

enum class OpState : std::uint8_t {
  implemented,  ///< our firmware has it
  missing,      ///< it does not yet: reported when it is called
  reserved,     ///< no op: NULL
  later,        ///< a later release of the generation has one: NULL at the baseline
  outside,      ///< beyond the table
};

struct OpUse {
  std::uint64_t slot = 0;
  std::string name;   ///< empty for `reserved` and `outside`
  std::string since;  ///< of `later`: the first release, "6.6.127"
  OpState state = OpState::implemented;
  std::size_t loads = 0;  ///< instructions that load the slot
  std::size_t calls = 0;  ///< instructions that call it
  std::vector<std::string> functions;
};

struct RelocationFact {
  std::string section;  ///< the one that is patched
  std::string type;     ///< "R_AARCH64_CALL26", "17" when it has no name here
  std::size_t count = 0;
};

struct AlternativeFact {
  std::string section;
  std::uint16_t capability = 0;
  std::string name;  ///< empty when not known
  bool callback = false;
  std::size_t count = 0;
  AlternativeFate fate = AlternativeFate::unknown;
};

enum class ImportState : std::uint8_t {
  exported,    ///< our kernel exports it
  dependency,  ///< a module that it depends on does
  perhaps,     ///< a dependency that was not looked at may
  stubbed,     ///< our kernel has a declared stub (pkvm/stubs.def)
  weak,        ///< may stay 0
  missing,
};

struct ImportFact {
  std::string name;
  ImportState state = ImportState::missing;
  std::string from;               ///< the dependency
  bool at_el2 = false;            ///< the EL2 half refers to it
  bool is_first_of_text = false;  ///< the very first byte of the dependency's .hyp.text
  std::string stub;               ///< what a stub returns, and why
};

/// Something about the file's form that harms nothing.
struct TraitFact {
  std::string name;
  std::string text;
};

/// What a finding means for the module.
enum class Level : std::uint8_t {
  refused,  ///< the kernel refuses the load
  broken,   ///< it loads, and then goes wrong
  phone,    ///< pkvm-emu runs it, a phone does not
  note,
};

struct Finding {
  Level level = Level::note;
  pkvm::Errno error = pkvm::Errno::none;  ///< what the load returns
  std::string text;
  std::string advice;
};

struct Facts {
  std::string name;
  std::string vermagic;
  std::optional<pkvm::Generation> generation;
  /// The kernel that it was built for, where `generation` stands in for it: "android14-5.15".
  std::string built_for;
  std::vector<std::string> depends;
  std::vector<std::string> parameters;
  bool has_hyp = false;
  bool is_signed = false;
  bool has_versions = false;
  std::uint64_t struct_module_size = 0;
  std::uint64_t hyp_pages = 0;
  std::uint64_t hyp_page_size = 0;  ///< of the kernel that the EL2 half was linked for
  std::vector<TraitFact> traits;

  std::vector<SectionFact> sections;
  std::vector<SymbolFact> el2_symbols;
  std::vector<SymbolFact> el1_symbols;
  std::vector<std::string> exports;
  std::vector<Candidate> inits;
  std::vector<Candidate> handlers;
  Kcfi kcfi = Kcfi::none;
  /// The word before init when it is neither flavour's.
  std::optional<std::uint32_t> odd_kcfi_word;
  std::vector<OpUse> ops;
  std::vector<std::string> doubts;  ///< why `ops` may not be all
  std::vector<RelocationFact> relocations;
  bool has_hyp_reloc = false;
  std::size_t hyp_reloc_entries = 0;
  std::vector<AlternativeFact> alternatives;
  std::vector<ImportFact> imports;
  std::vector<Finding> findings;

  /// No finding says that it is refused or broken.
  [[nodiscard]] bool would_load() const;
};

std::string_view name_of(OpState state);
std::string_view name_of(ImportState state);
std::string_view name_of(Level level);

/// One object with a final newline; docs/inspect.md lists the keys.
std::string to_json(const Facts& facts, std::string_view file);

enum class Detail : std::uint8_t {
  summary,
  everything,
  problems,  ///< only what keeps it from loading, or goes wrong at once
};
enum class Colour : std::uint8_t { off, on };
/// For people: lines with final newline, control characters of the file made harmless.
std::string to_text(const Facts& facts, std::string_view file, Detail detail, Colour colour);

}  // namespace pkvmemu::inspect
