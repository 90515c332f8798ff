// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "image/relocate.h"
#include "image/stream.h"
#include "inspect/parts.h"
#include "pkvm/exports.h"
#include "pkvm/ops.h"
#include "pkvm/stub_words.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::inspect {
namespace {

using image::Section;
using image::Symbol;

constexpr std::uint64_t hyp_reloc_entry = 4;
constexpr std::uint64_t alternative_entry = 12;
constexpr std::uint64_t alternative_capability = 8;
constexpr std::string_view signature_trailer = "~Module signature appended~\n";

bool ends_with(image::ByteView bytes, std::string_view text) {
  if (bytes.size() < text.size()) return false;
  const auto tail = image::Stream(bytes).text(bytes.size() - text.size(), text.size());
  return tail && *tail == text;
}

std::string el1_permission(const Section& section) {
  const bool write = (section.header.flags & image::elf::flag_write) != 0;
  const bool exec = (section.header.flags & image::elf::flag_exec) != 0;
  return fmt::format("r{}{}", write ? 'w' : '-', exec ? 'x' : '-');
}

/// All values of a key that .modinfo may have more than once.
std::vector<std::string> modinfo_values(const ModuleIndex& module, std::string_view key) {
  std::vector<std::string> values;
  for (const Section& section : module.sections()) {
    if (section.name != ".modinfo") continue;
    const image::Stream stream(section.content);
    for (std::uint64_t at = 0; at < stream.size();) {
      const auto item = stream.string(at);
      if (!item) break;
      if (item->size() > key.size() && item->starts_with(key) && (*item)[key.size()] == '=')
        values.emplace_back(item->substr(key.size() + 1));
      at += item->size() + 1;
    }
  }
  return values;
}

class Inspection {
 public:
  Inspection(const ModuleIndex& module, image::ByteView bytes,
             std::span<const Dependency> dependencies, const code::Disassembler& disassembler)
      : module_(module), dependencies_(dependencies), disassembler_(disassembler) {
    identify(bytes);
  }

  Facts run() {
    list_sections();
    list_symbols();
    list_imports();
    list_relocations();
    list_alternatives();
    follow_code();
    facts_.traits = find_traits(module_, facts_);
    facts_.findings = find_problems(module_, facts_);
    return std::move(facts_);
  }

 private:
  void identify(image::ByteView bytes) {
    const image::KoFile& file = module_.file();
    facts_.name = file.name();
    facts_.vermagic = file.vermagic();
    facts_.generation = file.generation();
    if (const auto* row = pkvm::find_kernel(pkvm::stand_ins, facts_.vermagic))
      facts_.built_for = row->kmi;
    facts_.depends = split_names(file.depends());
    facts_.has_hyp = file.has_hyp();
    if (facts_.has_hyp) facts_.hyp_page_size = file.hyp_page_size();
    facts_.is_signed = ends_with(bytes, signature_trailer);
    facts_.struct_module_size = file.this_module().header.size;
    facts_.exports = exports_of(file);
    // "name:type"
    for (const std::string& item : modinfo_values(module_, "parmtype"))
      facts_.parameters.push_back(item);
  }

  void list_sections() {
    for (const Section& section : module_.sections()) {
      if (section.name == "__versions") facts_.has_versions = true;
      if (!section.allocated()) continue;
      const HypSectionRow* hyp = find_hyp_section(section.name);
      const bool known = hyp != nullptr && (!facts_.generation || *facts_.generation >= hyp->since);
      const bool mapped = facts_.has_hyp && known && section.header.size != 0;
      facts_.sections.push_back(
          {.name = std::string(section.name),
           .size = section.header.size,
           .alignment = section.header.alignment,
           .at_el2 = mapped,
           .permission = known ? std::string(hyp->permission) : el1_permission(section)});
      if (mapped) facts_.hyp_pages += (section.header.size + page_size - 1) / page_size;
      if (section.name == ".hyp.reloc") {
        facts_.has_hyp_reloc = true;
        facts_.hyp_reloc_entries = section.header.size / hyp_reloc_entry;
      }
    }
  }

  void list_symbols() {
    for (const Symbol& symbol : module_.symbols()) {
      const unsigned type = symbol.type();
      if (!symbol.in_section() || symbol.name.empty() || type == image::elf::symbol_section)
        continue;
      if (!module_.sections()[symbol.entry.section].allocated()) continue;
      std::string_view name = image::without_hyp_prefix(symbol.name);
      if (name.starts_with("$") || name.starts_with("__hyp_section_") ||
          name.starts_with("__hyp_event_ids_") || name.starts_with("__UNIQUE_ID"))
        continue;
      const bool hyp = module_.is_hyp(symbol.entry.section);
      (hyp ? facts_.el2_symbols : facts_.el1_symbols)
          .push_back({.name = std::string(name),
                      .section = std::string(module_.sections()[symbol.entry.section].name),
                      .offset = symbol.entry.value,
                      .size = symbol.entry.size,
                      .is_function = type == image::elf::symbol_function,
                      .is_global = symbol.binding() != 0});
    }
    const auto place = [](const SymbolFact& symbol) {
      return std::tie(symbol.section, symbol.offset, symbol.name);
    };
    std::ranges::sort(facts_.el2_symbols, {}, place);
    std::ranges::sort(facts_.el1_symbols, {}, place);
  }

  [[nodiscard]] ImportFact import_of(const Symbol& symbol) const {
    ImportFact fact{
        .name = std::string(symbol.name), .state = ImportState::missing, .from = {}, .stub = {}};
    fact.at_el2 = std::ranges::any_of(module_.relocations(), [&](const Relocation& own) {
      return own.symbol == symbol.index && module_.is_hyp(own.place.section);
    });
    const auto state = [&fact](ImportState own) {
      fact.state = own;
      return fact;
    };
    if (pkvm::is_exported(symbol.name)) return state(ImportState::exported);
    for (const Dependency& dependency : dependencies_) {
      if (std::ranges::find(dependency.exports, symbol.name) == dependency.exports.end()) continue;
      fact.from = dependency.name;
      fact.is_first_of_text =
          fact.at_el2 && std::ranges::find(dependency.first_of_text, symbol.name) !=
                             dependency.first_of_text.end();
      return state(ImportState::dependency);
    }
    if (const auto row = pkvm::find_stub(symbol.name)) {
      fact.stub = pkvm::stub_words(*row);
      return state(ImportState::stubbed);
    }
    if (symbol.binding() == image::elf::bind_weak) return state(ImportState::weak);
    for (const std::string& name : facts_.depends) {
      if (std::ranges::find(dependencies_, name, &Dependency::name) != dependencies_.end())
        continue;
      fact.from = name;
      return state(ImportState::perhaps);
    }
    return fact;
  }

  void list_imports() {
    std::set<std::string_view> seen;
    for (const Symbol& symbol : module_.symbols())
      if (symbol.index != 0 && symbol.is_undefined() && !symbol.name.empty() &&
          seen.insert(symbol.name).second)
        facts_.imports.push_back(import_of(symbol));
    std::ranges::sort(facts_.imports, {}, &ImportFact::name);
  }

  void list_relocations() {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> counts;
    for (const Relocation& relocation : module_.relocations())
      if (module_.sections()[relocation.place.section].allocated())
        ++counts[{relocation.place.section, relocation.type}];
    for (const auto& [key, count] : counts) {
      const image::RelocRow* row = image::find_reloc(key.second);
      facts_.relocations.push_back(
          {.section = std::string(module_.sections()[key.first].name),
           .type = row == nullptr ? fmt::format("{}", key.second) : std::string(row->name),
           .count = count});
    }
  }

  void list_alternatives() {
    std::map<std::pair<std::string_view, std::uint16_t>, std::size_t> counts;
    for (const Section& section : module_.sections()) {
      if (section.name != ".altinstructions") continue;
      const image::Stream stream(section.content);
      for (std::uint64_t at = 0; stream.contains(at, alternative_entry); at += alternative_entry) {
        const auto number = stream.le<std::uint16_t>(at + alternative_capability);
        const Relocation* site = module_.relocation_at({.section = section.index, .offset = at});
        const auto where = site == nullptr ? std::nullopt : module_.target_of(*site);
        if (!number || !where || where->section >= module_.sections().size()) continue;
        ++counts[{module_.sections()[where->section].name, *number}];
      }
    }
    for (const auto& [key, count] : counts) {
      const auto number = static_cast<std::uint16_t>(key.second & ~capability_callback);
      const std::string_view name =
          facts_.generation ? capability_name(*facts_.generation, number) : std::string_view{};
      facts_.alternatives.push_back({.section = std::string(key.first),
                                     .capability = number,
                                     .name = std::string(name),
                                     .callback = (key.second & capability_callback) != 0,
                                     .count = count,
                                     .fate = fate_of(facts_.generation, key.second)});
    }
  }

  void follow_code() {
    if (!facts_.has_hyp) return;
    FlowRequest el1;
    FlowRequest el2;
    for (const Section& section : module_.sections())
      if (module_.is_code(section.index))
        (module_.is_hyp(section.index) ? el2 : el1).sections.push_back(section.index);
    Candidates candidates =
        find_candidates(module_, facts_.generation, follow(module_, disassembler_, el1));
    el2.inits = candidates.init_places;
    facts_.inits = std::move(candidates.inits);
    facts_.handlers = std::move(candidates.handlers);
    judge_kcfi(candidates.text);
    list_ops(follow(module_, disassembler_, el2));
    if (facts_.inits.empty())
      facts_.doubts.emplace_back("no init function was found, so nothing is known to get the ops");
  }

  void judge_kcfi(std::uint32_t text) {
    if (facts_.inits.empty() || !facts_.inits.front().kcfi_word) return;
    const std::uint32_t word = *facts_.inits.front().kcfi_word;
    const HashRow* row = find_hash(word);
    if (row != nullptr && row->role == Role::init) {
      facts_.kcfi = row->flavour;
      return;
    }
    // Another function's code, or padding, is no word of init's.
    constexpr std::uint32_t nop = 0xd503201f;
    const Place before{.section = text, .offset = facts_.inits.front().offset - sizeof(word)};
    if (word != 0 && word != nop && module_.function_around(before) == nullptr) {
      facts_.odd_kcfi_word = word;
      return;
    }
    for (auto* candidates : {&facts_.inits, &facts_.handlers})
      for (Candidate& candidate : *candidates)
        candidate.kcfi_word.reset();
  }

  void list_ops(const Flow& flow) {
    std::map<std::uint64_t, std::set<std::string_view>> functions;
    for (const auto& [slot, sites] : flow.loads)
      for (const Place site : sites)
        functions[slot].insert(module_.function_name(site));
    for (const auto& [slot, sites] : flow.loads) {
      const auto calls = flow.calls.find(slot);
      OpUse use = op_of(slot);
      use.loads = sites.size();
      use.calls = calls == flow.calls.end() ? 0 : calls->second.size();
      use.functions.assign(functions[slot].begin(), functions[slot].end());
      facts_.ops.push_back(std::move(use));
    }
    for (const auto& [doubt, place] : flow.doubts)
      facts_.doubts.push_back(
          doubt == Doubt::gave_up
              ? std::string(words_of(doubt))
              : fmt::format("{}: {}", module_.describe(place), words_of(doubt)));
  }

  [[nodiscard]] OpUse op_of(std::uint64_t slot) const {
    OpUse use;
    use.slot = slot;
    // Without a generation no table is known.
    if (!facts_.generation) {
      use.state = OpState::reserved;
      return use;
    }
    const pkvm::GenerationInfo& generation = pkvm::info(*facts_.generation);
    if (slot >= generation.ops_slots) {
      use.state = OpState::outside;
      return use;
    }
    use.state = OpState::reserved;
    const std::optional<pkvm::OpId> op = pkvm::op_at(generation.id, slot);
    if (!op) return use;
    use.name = pkvm::row_of(*op).name;
    if (!pkvm::in_baseline(*op, generation.id)) {
      use.state = OpState::later;
      use.since =
          fmt::format("{}{}", generation.kernel_prefix, pkvm::first_sublevel(*op, generation.id));
      return use;
    }
    use.state = pkvm::row_of(*op).exists ? OpState::implemented : OpState::missing;
    return use;
  }

  const ModuleIndex& module_;
  std::span<const Dependency> dependencies_;
  const code::Disassembler& disassembler_;
  Facts facts_;
};

}  // namespace

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string name(list.substr(0, comma));
    std::ranges::replace(name, '-', '_');
    if (!name.empty()) names.push_back(std::move(name));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

std::vector<std::string> exports_of(const image::KoFile& file) {
  std::vector<std::string> names;
  const image::ElfFile& elf = file.elf();
  for (std::uint32_t i = 1; i < elf.symbol_count(); ++i) {
    const auto symbol = elf.symbol(i);
    if (symbol && !symbol->is_undefined() && symbol->name.starts_with(export_prefix))
      names.emplace_back(symbol->name.substr(export_prefix.size()));
  }
  return names;
}

Dependency dependency_of(std::string name, const image::KoFile& file) {
  Dependency dependency{.name = std::move(name), .exports = exports_of(file), .first_of_text = {}};
  const auto text = file.elf().find_section(".hyp.text");
  for (const std::string& symbol : dependency.exports) {
    const auto found = file.elf().find_defined(symbol);
    if (text && found && found->entry.section == text->index && found->entry.value == 0)
      dependency.first_of_text.push_back(symbol);
  }
  return dependency;
}

Facts inspect(const image::KoFile& file, image::ByteView bytes,
              std::span<const Dependency> dependencies, const code::Disassembler& disassembler) {
  const ModuleIndex index(file);
  return Inspection(index, bytes, dependencies, disassembler).run();
}

}  // namespace pkvmemu::inspect
