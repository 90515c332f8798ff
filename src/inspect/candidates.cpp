// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "inspect/parts.h"

namespace pkvmemu::inspect {
namespace {

constexpr std::uint64_t hash_size = 4;

/// Why a function of .hyp.text is thought to be something.
struct Clues {
  bool stored_as_init = false;
  bool stored_in_this_module = false;
  bool named_by_el1 = false;
  std::optional<std::uint32_t> word;
  const HashRow* hash = nullptr;
};

class Finder {
 public:
  Finder(const ModuleIndex& module, std::optional<pkvm::Generation> generation)
      : module_(module), generation_(generation) {
    for (const image::Section& section : module.sections()) {
      if (section.name == ".hyp.text" && !text_) text_ = section.index;
      if (section.name == image::this_module_section && !own_) own_ = section.index;
    }
  }

  Candidates run(const Flow& el1) {
    if (!text_) return {};
    for (const Function& function : module_.functions())
      if (function.place.section == *text_) look_at_hash(function.place);
    for (const Relocation& relocation : module_.relocations())
      look_at_reference(relocation);
    for (const StoredAddress& store : el1.stored)
      look_at_store(store);
    Candidates found;
    found.text = *text_;
    for (const auto& [place, clues] : clues_)
      sort_in(place, clues, found);
    return found;
  }

 private:
  void look_at_hash(Place place) {
    Clues& clues = clues_[place];
    if (place.offset < hash_size) return;
    clues.word = module_.word_at({.section = place.section, .offset = place.offset - hash_size});
    if (clues.word) clues.hash = find_hash(*clues.word);
  }

  /// EL1 code or data that names a function of the EL2 half.
  void look_at_reference(const Relocation& relocation) {
    const std::uint32_t from = relocation.place.section;
    if (module_.is_hyp(from) || !module_.sections()[from].allocated()) return;
    if (!is_function_reference(from)) return;
    const auto target = module_.target_of(relocation);
    if (target && target->section == *text_ && module_.function_at(*target) != nullptr)
      clues_[*target].named_by_el1 = true;
  }

  /// Tables that the kernel's loader reads name places in code, too: not references of EL1 code.
  [[nodiscard]] bool is_function_reference(std::uint32_t section) const {
    constexpr std::array<std::string_view, 5> tables = {".altinstructions", "__bug_table",
                                                        "__jump_table", "__ex_table",
                                                        "__patchable_function_entries"};
    const std::string_view name = module_.sections()[section].name;
    return std::ranges::find(tables, name) == tables.end() && !name.starts_with("__ksymtab") &&
           name != ".hyp.reloc";
  }

  void look_at_store(const StoredAddress& store) {
    if (!own_ || store.to.section != *own_ || store.value.section != *text_) return;
    Clues& clues = clues_[store.value];
    clues.stored_in_this_module = true;
    if (!generation_) return;
    const pkvm::ModuleLayout& layout = pkvm::info(*generation_).module;
    clues.stored_as_init = store.to.offset == layout.arch_hyp + layout.hyp_init;
  }

  void sort_in(Place place, const Clues& clues, Candidates& found) const {
    const bool has_role = clues.hash != nullptr;
    const bool init_hash = has_role && clues.hash->role == Role::init;
    const bool handler_hash = has_role && clues.hash->role == Role::handler;
    const bool stored = clues.stored_as_init || clues.stored_in_this_module;
    Candidate candidate;
    candidate.symbol = module_.describe(place);
    candidate.offset = place.offset;
    candidate.kcfi_word = clues.word;
    if (clues.stored_as_init)
      candidate.evidence.emplace_back("the EL1 half stores it as arch.hyp.init");
    else if (stored)
      candidate.evidence.emplace_back("the EL1 half stores it in its struct module");
    if (clues.named_by_el1 && !stored) candidate.evidence.emplace_back("the EL1 half refers to it");
    if (init_hash) candidate.evidence.emplace_back("kCFI word of an init function");
    if (handler_hash) candidate.evidence.emplace_back("kCFI word of a handler");
    if (stored || (init_hash && !handler_hash)) {
      candidate.certain = stored;
      found.init_places.push_back(place);
      found.inits.push_back(std::move(candidate));
      return;
    }
    // A handler is reached from EL1 by its address; a type alone is what helpers have, too.
    if (!clues.named_by_el1 && !handler_hash) return;
    candidate.certain = clues.named_by_el1 && handler_hash;
    found.handlers.push_back(std::move(candidate));
  }

  const ModuleIndex& module_;
  std::optional<pkvm::Generation> generation_;
  std::optional<std::uint32_t> text_;
  std::optional<std::uint32_t> own_;
  std::map<Place, Clues> clues_;
};

}  // namespace

Candidates find_candidates(const ModuleIndex& module, std::optional<pkvm::Generation> generation,
                           const Flow& el1) {
  Candidates found = Finder(module, generation).run(el1);
  // What the EL1 half stores beats what merely has the type.
  const bool known = std::ranges::any_of(found.inits, &Candidate::certain);
  if (!known) return found;
  for (std::size_t i = found.inits.size(); i-- > 0;) {
    if (found.inits[i].certain) continue;
    found.inits.erase(found.inits.begin() + static_cast<std::ptrdiff_t>(i));
    found.init_places.erase(found.init_places.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return found;
}

}  // namespace pkvmemu::inspect
