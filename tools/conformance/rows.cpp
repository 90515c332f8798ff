// SPDX-License-Identifier: GPL-2.0-only
#include "rows.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "pkvm/ops.h"

namespace pkvmemu::conformance {
namespace {

constexpr std::string_view sections_file = "sections.yaml";
/// The section whose rows say what an operation does: each is named after one.
constexpr std::string_view ops_section = "1.6";

/// What is wrong with a node; becomes an Error with the file's name in front.
struct BadNode {
  YAML::Mark mark;
  std::string message;
};

template <typename T>
using Parsed = std::expected<T, BadNode>;

std::unexpected<BadNode> bad(const YAML::Node& node, std::string message) {
  return std::unexpected(BadNode{.mark = node.Mark(), .message = std::move(message)});
}

Parsed<std::string> text_of(const YAML::Node& entry, const std::string& key) {
  const YAML::Node node = entry[key];
  if (!node) return bad(entry, fmt::format("the entry has no '{}'", key));
  if (!node.IsScalar() || node.Scalar().empty())
    return bad(node, fmt::format("'{}' is not a text", key));
  return node.Scalar();
}

Parsed<pkvm::Generation> generation_of(const YAML::Node& node) {
  if (node.IsScalar())
    if (const auto found = pkvm::generation_of_kmi(node.Scalar())) return *found;
  return bad(node, "not a generation: expected android14-6.1, android15-6.6 or android16-6.12");
}

Parsed<void> only_keys(const YAML::Node& entry, std::initializer_list<std::string_view> known) {
  if (!entry.IsMap()) return bad(entry, "not an entry of the form 'key: value'");
  for (const auto& field : entry)
    if (std::ranges::find(known, std::string_view(field.first.Scalar())) == known.end())
      return bad(field.first, fmt::format("unknown key '{}'", field.first.Scalar()));
  return {};
}

/// Where section and name of a row part.
Parsed<std::string::size_type> slash_of(const YAML::Node& entry, const std::string& id) {
  const auto slash = id.rfind('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == id.size() ||
      id.find_first_of(" \t@+|`") != std::string::npos)
    return bad(entry["row"], fmt::format("'{}' is not of the form SECTION/NAME", id));
  return slash;
}

Parsed<PerGeneration<bool>> generations_in(const YAML::Node& list) {
  PerGeneration<bool> exists{};
  if (!list) {
    exists.fill(true);
    return exists;
  }
  if (!list.IsSequence() || list.size() == 0) return bad(list, "'in' is not a list of generations");
  for (const YAML::Node& item : list) {
    const auto generation = generation_of(item);
    if (!generation) return std::unexpected(generation.error());
    exists.at(index_of(*generation)) = true;
  }
  return exists;
}

Parsed<PerGeneration<std::string>> reasons_in(const YAML::Node& node,
                                              const PerGeneration<bool>& exists) {
  PerGeneration<std::string> reasons;
  if (!node) return reasons;
  if (node.IsScalar()) {
    for (std::size_t i = 0; i < exists.size(); ++i)
      if (exists.at(i)) reasons.at(i) = node.Scalar();
    return reasons;
  }
  if (!node.IsMap()) return bad(node, "'untested' is neither a text nor a text a generation");
  for (const auto& field : node) {
    const auto generation = generation_of(field.first);
    if (!generation) return std::unexpected(generation.error());
    if (!exists.at(index_of(*generation)))
      return bad(field.first, "a reason for a generation that does not have the row");
    if (!field.second.IsScalar() || field.second.Scalar().empty())
      return bad(field.first, "an empty reason");
    reasons.at(index_of(*generation)) = field.second.Scalar();
  }
  return reasons;
}

Parsed<Row> parse_row(const YAML::Node& entry) {
  if (const auto keys = only_keys(entry, {"row", "says", "in", "untested"}); !keys)
    return std::unexpected(keys.error());
  const auto id = text_of(entry, "row");
  if (!id) return std::unexpected(id.error());
  const auto slash = slash_of(entry, *id);
  if (!slash) return std::unexpected(slash.error());
  auto says = text_of(entry, "says");
  if (!says) return std::unexpected(says.error());
  const auto exists = generations_in(entry["in"]);
  if (!exists) return std::unexpected(exists.error());
  auto reasons = reasons_in(entry["untested"], *exists);
  if (!reasons) return std::unexpected(reasons.error());
  return Row{.section = id->substr(0, *slash),
             .name = id->substr(*slash + 1),
             .says = *std::move(says),
             .exists = *exists,
             .untested = *std::move(reasons)};
}

Parsed<Section> parse_section(const YAML::Node& entry) {
  if (const auto keys = only_keys(entry, {"section", "title"}); !keys)
    return std::unexpected(keys.error());
  const auto id = text_of(entry, "section");
  if (!id) return std::unexpected(id.error());
  const auto title = text_of(entry, "title");
  if (!title) return std::unexpected(title.error());
  return Section{.id = *id, .title = *title};
}

std::string place(const std::filesystem::path& file, const YAML::Mark& mark) {
  return fmt::format("{}:{}", file.filename().string(), mark.line + 1);
}

template <typename Entry, typename Parse>
Result<std::vector<Entry>> read_list(const std::filesystem::path& file, Parse parse) {
  std::vector<Entry> entries;
  try {
    const YAML::Node list = YAML::LoadFile(file.string());
    if (!list.IsSequence()) return fail("{}: not a list of entries", file.filename().string());
    for (const YAML::Node& node : list) {
      auto entry = parse(node);
      if (!entry) return fail("{}: {}", place(file, entry.error().mark), entry.error().message);
      if constexpr (requires { entry->where; }) entry->where = place(file, node.Mark());
      entries.push_back(*std::move(entry));
    }
  } catch (const YAML::Exception& error) {
    return fail("{}: {}", place(file, error.mark), error.msg);
  }
  return entries;
}

Result<void> check_names(const Catalogue& catalogue) {
  std::set<std::string> seen;
  for (const Row& row : catalogue.rows) {
    if (!seen.insert(row.id()).second) return fail("{}: {} is there twice", row.where, row.id());
    if (std::ranges::find(catalogue.sections, row.section, &Section::id) ==
        catalogue.sections.end())
      return fail("{}: section {} of {} is not in {}", row.where, row.section, row.id(),
                  sections_file);
  }
  return {};
}

/// "puts" of "puts.no_driver".
std::string_view op_of(const Row& row) {
  return std::string_view(row.name).substr(0, row.name.find('.'));
}

bool has_op(pkvm::Generation generation, std::string_view name) {
  return std::ranges::any_of(pkvm::op_rows, [&](const pkvm::OpRow& op) {
    return op.name == name && op.slot_in(generation) >= 0;
  });
}

/// The same statement under two names would be there twice without this.
Result<void> check_ops(const Catalogue& catalogue) {
  for (const Row& row : catalogue.rows) {
    if (row.section != ops_section) continue;
    for (const pkvm::GenerationInfo& generation : pkvm::generations)
      if (row.exists.at(index_of(generation.id)) && !has_op(generation.id, op_of(row)))
        return fail("{}: {} has no operation {}, after which the row is named", row.where,
                    generation.kmi, op_of(row));
  }
  return {};
}

std::vector<std::filesystem::path> row_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".yaml" && entry.path().filename() != sections_file)
      files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

Result<Catalogue> read_catalogue(const std::filesystem::path& folder) {
  auto sections = read_list<Section>(folder / sections_file, parse_section);
  if (!sections) return std::unexpected(sections.error());
  Catalogue catalogue{.sections = *std::move(sections), .rows = {}};
  for (const auto& file : row_files(folder)) {
    auto rows = read_list<Row>(file, parse_row);
    if (!rows) return std::unexpected(rows.error());
    catalogue.rows.insert(catalogue.rows.end(), rows->begin(), rows->end());
  }
  if (const auto named = check_names(catalogue); !named) return std::unexpected(named.error());
  if (const auto ops = check_ops(catalogue); !ops) return std::unexpected(ops.error());
  return catalogue;
}

std::vector<std::string> ops_without_rows(const Catalogue& catalogue) {
  std::vector<std::string> missing;
  for (const pkvm::OpRow& op : pkvm::op_rows)
    for (const pkvm::GenerationInfo& generation : pkvm::generations) {
      if (!op.exists || op.slot_in(generation.id) < 0) continue;
      const bool found = std::ranges::any_of(catalogue.rows, [&](const Row& row) {
        return row.section == ops_section && op_of(row) == op.name &&
               row.exists.at(index_of(generation.id));
      });
      if (!found)
        missing.push_back(fmt::format("{}/{}: no row on {}, whose firmware has the operation",
                                      ops_section, op.name, generation.kmi));
    }
  return missing;
}

}  // namespace pkvmemu::conformance
