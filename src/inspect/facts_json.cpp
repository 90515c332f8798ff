// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "inspect/facts.h"

namespace pkvmemu::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr int json_schema = 1;

template <typename Enum, std::size_t Count>
std::string_view pick(const std::array<std::string_view, Count>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

template <typename T>
Json list_of(const std::vector<T>& items, auto make) {
  Json list = Json::array();
  for (const T& item : items)
    list.push_back(make(item));
  return list;
}

std::string hex(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

Json word_or_null(const std::optional<std::uint32_t>& word) {
  return word ? Json(fmt::format("{:#010x}", *word)) : Json(nullptr);
}

Json to_json(const SectionFact& section) {
  return {{"name", section.name},
          {"size", section.size},
          {"alignment", section.alignment},
          {"el2", section.at_el2},
          {"permission", section.permission}};
}

Json to_json(const SymbolFact& symbol) {
  return {{"name", symbol.name}, {"section", symbol.section},      {"offset", symbol.offset},
          {"size", symbol.size}, {"function", symbol.is_function}, {"global", symbol.is_global}};
}

Json to_json(const Candidate& candidate) {
  return {{"symbol", candidate.symbol},
          {"offset", hex(candidate.offset)},
          {"certain", candidate.certain},
          {"kcfi_word", word_or_null(candidate.kcfi_word)},
          {"evidence", candidate.evidence}};
}

Json to_json(const OpUse& use) {
  return {{"slot", use.slot},
          {"name", use.name.empty() ? Json(nullptr) : Json(use.name)},
          {"state", name_of(use.state)},
          {"loads", use.loads},
          {"calls", use.calls},
          {"functions", use.functions}};
}

Json to_json(const RelocationFact& relocation) {
  return {{"section", relocation.section}, {"type", relocation.type}, {"count", relocation.count}};
}

constexpr std::array<std::string_view, 5> fate_names = {"replaced", "by_mode", "kept", "callback",
                                                        "unknown"};

Json to_json(const AlternativeFact& own) {
  return {{"section", own.section},
          {"capability", own.capability},
          {"name", own.name.empty() ? Json(nullptr) : Json(own.name)},
          {"callback", own.callback},
          {"count", own.count},
          {"fate", pick(fate_names, own.fate)}};
}

Json to_json(const ImportFact& import) {
  return {{"name", import.name},
          {"state", name_of(import.state)},
          {"from", import.from.empty() ? Json(nullptr) : Json(import.from)},
          {"stub", import.stub.empty() ? Json(nullptr) : Json(import.stub)}};
}

Json to_json(const TraitFact& trait) {
  return {{"name", trait.name}, {"text", trait.text}};
}

Json to_json(const Finding& finding) {
  return {{"level", name_of(finding.level)},
          {"error", pkvm::negated(finding.error)},
          {"text", finding.text},
          {"advice", finding.advice}};
}

constexpr auto convert = [](const auto& item) { return to_json(item); };

}  // namespace

std::string_view name_of(OpState state) {
  static constexpr std::array<std::string_view, 5> names = {"implemented", "missing", "reserved",
                                                            "later", "outside"};
  return pick(names, state);
}

std::string_view name_of(ImportState state) {
  static constexpr std::array<std::string_view, 6> names = {"exported", "dependency", "perhaps",
                                                            "stubbed",  "weak",       "missing"};
  return pick(names, state);
}

std::string_view name_of(Level level) {
  static constexpr std::array<std::string_view, 4> names = {"refused", "broken", "phone", "note"};
  return pick(names, level);
}

std::string to_json(const Facts& facts, std::string_view file) {
  const Json object = {
      {"schema", json_schema},
      {"file", file},
      {"name", facts.name},
      {"would_load", facts.would_load()},
      {"generation", facts.generation ? Json(pkvm::info(*facts.generation).kmi) : Json(nullptr)},
      {"built_for", facts.built_for.empty() ? Json(nullptr) : Json(facts.built_for)},
      {"vermagic", facts.vermagic},
      {"depends", facts.depends},
      {"parameters", facts.parameters},
      {"el2", facts.has_hyp},
      {"el2_pages", facts.hyp_pages},
      {"el2_page_size", facts.hyp_page_size},
      {"signed", facts.is_signed},
      {"versions", facts.has_versions},
      {"struct_module_size", facts.struct_module_size},
      {"traits", list_of(facts.traits, convert)},
      {"kcfi", {{"flavour", name_of(facts.kcfi)}, {"odd_word", word_or_null(facts.odd_kcfi_word)}}},
      {"init", list_of(facts.inits, convert)},
      {"handlers", list_of(facts.handlers, convert)},
      {"ops", list_of(facts.ops, convert)},
      {"ops_doubts", facts.doubts},
      {"sections", list_of(facts.sections, convert)},
      {"el2_symbols", list_of(facts.el2_symbols, convert)},
      {"el1_symbols", list_of(facts.el1_symbols, convert)},
      {"exports", facts.exports},
      {"imports", list_of(facts.imports, convert)},
      {"relocations", list_of(facts.relocations, convert)},
      {"hyp_reloc", {{"present", facts.has_hyp_reloc}, {"entries", facts.hyp_reloc_entries}}},
      {"alternatives", list_of(facts.alternatives, convert)},
      {"findings", list_of(facts.findings, convert)}};
  constexpr int indent = 2;
  return object.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pkvmemu::inspect
