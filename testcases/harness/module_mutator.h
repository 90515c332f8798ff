// SPDX-License-Identifier: GPL-2.0-only
// Damages modules at random, but where it tells: fields of the file's header, of section headers,
// symbols and relocations, the content of the EL2 sections, and the file as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/file.h"

namespace pkvmemu::test {

class ModuleMutator {
 public:
  struct Mutated {
    Bytes bytes;
    std::string what;  ///< each change, for the person who looks into a failure
  };

  explicit ModuleMutator(unsigned seed) : random_(seed) {}

  /// One to three changes to a good module; `other` is what parts are spliced in from.
  Mutated mutate(const Bytes& good, const Bytes& other);

 private:
  struct Field {
    std::size_t place;
    std::size_t width;
    std::string name;
  };
  using Change = std::string (ModuleMutator::*)(const Bytes& good, const Bytes& other,
                                                Bytes& bytes);

  std::string flip_bits(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string change_header(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string change_section(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string change_symbol(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string change_relocation(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string change_content(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string truncate(const Bytes& good, const Bytes& other, Bytes& bytes);
  std::string splice(const Bytes& good, const Bytes& other, Bytes& bytes);

  [[nodiscard]] std::size_t below(std::size_t limit);
  [[nodiscard]] std::uint64_t value_near(std::uint64_t old, std::size_t file_size);
  /// One field of one record of a table whose records all have these fields.
  std::string change_record(Bytes& bytes, std::size_t place, const std::vector<Field>& fields,
                            const std::string& what);

  std::mt19937 random_;
};

}  // namespace pkvmemu::test
