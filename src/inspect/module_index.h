// SPDX-License-Identifier: GPL-2.0-only
// A module's file with its tables turned round: relocations by the place that they patch, functions
// by where they begin, names by place. Relocation tables are assigned by sh_info, never by name
// (pkvm-abi.md 2.2). Points into the file's bytes, which have to stay.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/ko.h"

namespace pkvmemu::inspect {

/// A place in one of the file's sections.
struct Place {
  std::uint32_t section = 0;
  std::uint64_t offset = 0;
  constexpr auto operator<=>(const Place&) const = default;
};

struct Relocation {
  Place place;
  std::uint32_t type = 0;
  std::uint32_t symbol = 0;
  std::int64_t addend = 0;
};

struct Function {
  Place place;
  std::uint64_t size = 0;  ///< 0: not known
  std::string_view name;   ///< as in the symbol table
};

class ModuleIndex {
 public:
  explicit ModuleIndex(const image::KoFile& file);

  [[nodiscard]] const image::KoFile& file() const { return *file_; }
  /// By their number in the file.
  [[nodiscard]] std::span<const image::Section> sections() const { return sections_; }
  [[nodiscard]] std::span<const image::Symbol> symbols() const { return symbols_; }
  /// By the place that they patch; only those of existing sections.
  [[nodiscard]] std::span<const Relocation> relocations() const { return relocations_; }
  [[nodiscard]] std::span<const Relocation> relocations_of(std::uint32_t section) const;
  /// The functions of the symbol table, by place.
  [[nodiscard]] std::span<const Function> functions() const { return functions_; }

  [[nodiscard]] const Relocation* relocation_at(Place place) const;
  /// Symbol plus addend, when that is in this file.
  [[nodiscard]] std::optional<Place> target_of(const Relocation& relocation) const;
  /// The symbol's own name, or its section's.
  [[nodiscard]] std::string_view symbol_name(std::uint32_t symbol) const;
  [[nodiscard]] std::optional<std::uint32_t> word_at(Place place) const;

  [[nodiscard]] const Function* function_at(Place place) const;
  /// The function whose code is there; one without a size reaches to the next.
  [[nodiscard]] const Function* function_around(Place place) const;
  /// "counter_hvc+0x14", without the prefix of EL2 symbols; ".hyp.text+0x30" where nothing is
  /// named.
  [[nodiscard]] std::string describe(Place place) const;
  /// The same without the offset: the function, else the section.
  [[nodiscard]] std::string_view function_name(Place place) const;

  /// It belongs to the EL2 half: mapped at EL2.
  [[nodiscard]] bool is_hyp(std::uint32_t section) const;
  [[nodiscard]] bool is_code(std::uint32_t section) const;

 private:
  void read_relocations(const image::Section& table);
  void read_functions();

  const image::KoFile* file_;
  std::vector<image::Section> sections_;
  std::vector<image::Symbol> symbols_;
  std::vector<Relocation> relocations_;
  std::vector<Function> functions_;
};

}  // namespace pkvmemu::inspect
