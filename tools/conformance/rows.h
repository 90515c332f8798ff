// SPDX-License-Identifier: GPL-2.0-only
// The rows of the specification that we are held to, as testcases/data/conformance/*.yaml lists
// them; sections.yaml there names the sections and their order.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "pkvm/generation.h"
#include "support/result.h"

namespace pkvmemu::conformance {

template <typename T>
using PerGeneration = std::array<T, pkvm::generation_count>;

constexpr std::size_t index_of(pkvm::Generation generation) {
  return static_cast<std::size_t>(generation);
}

/// One statement of the specification.
struct Row {
  std::string section;  ///< "3.2"
  std::string name;     ///< "alloc_fails"
  std::string says;     ///< the statement in our words
  PerGeneration<bool> exists{};
  PerGeneration<std::string> untested{};  ///< why there is no test; empty where one is wanted
  std::string where{};                    ///< "FILE:LINE", for messages

  [[nodiscard]] std::string id() const { return section + "/" + name; }
};

struct Section {
  std::string id;
  std::string title;
};

struct Catalogue {
  std::vector<Section> sections;
  std::vector<Row> rows;  ///< in the order of the files' names, then of their lines
};

/// Reads every *.yaml of a folder. An error names file and line.
Result<Catalogue> read_catalogue(const std::filesystem::path& folder);

/// One line for each operation of a generation that our firmware has and no row speaks of.
std::vector<std::string> ops_without_rows(const Catalogue& catalogue);

}  // namespace pkvmemu::conformance
