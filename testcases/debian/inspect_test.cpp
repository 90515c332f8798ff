// SPDX-License-Identifier: GPL-2.0-only
// `inspect` on every module of Debian's kernel: it ends, says nothing wrong of ordinary modules,
// and its facts are those of the LLVM tools on a sample.
#include "inspect/inspect.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "build/process.h"
#include "code/disassembler.h"
#include "debian_modules.h"
#include "each_in_child.h"
#include "image/ko.h"
#include "support/file.h"

namespace pkvmemu::inspect {
namespace {

namespace fs = std::filesystem;
using test::Complaints;

struct File {
  explicit File(const fs::path& path) {
    auto read = read_file(path);
    if (!read) throw std::runtime_error(read.error().message);
    bytes = std::move(*read);
    const auto opened = image::KoFile::open(bytes);
    std::array<char, 256> words{};
    if (!opened) throw std::runtime_error(std::string(image::describe(opened.error(), words)));
    module = *opened;
  }
  Bytes bytes;
  image::KoFile module;
};

const code::Disassembler& disassembler() {
  static const code::Disassembler own = code::Disassembler::create().value();
  return own;
}

/// Which modules export each name, over all of them.
using Exporters = std::map<std::string, std::set<std::string>, std::less<>>;

Exporters find_exporters() {
  Exporters all;
  for (const fs::path& path : test::debian_modules()) {
    const File file(path);
    for (const std::string& name : exports_of(file.module))
      all[name].insert(test::debian_name(path));
  }
  return all;
}

std::vector<Dependency> dependencies_of(const image::KoFile& module, const Exporters& exporters) {
  std::vector<Dependency> found;
  for (const std::string& name : split_names(module.depends()))
    found.push_back({.name = name, .exports = {}});
  for (const auto& [symbol, modules] : exporters)
    for (Dependency& dependency : found)
      if (modules.contains(dependency.name)) dependency.exports.push_back(symbol);
  return found;
}

class Judge {
 public:
  Judge(const fs::path& path, const Facts& facts) : path_(path), facts_(facts) {}

  Complaints run(const Exporters& exporters) {
    identity();
    findings();
    imports(exporters);
    output();
    return std::move(complaints_);
  }

 private:
  void expect(bool good, std::string words) {
    if (!good) complaints_.push_back(std::move(words));
  }

  void identity() {
    expect(facts_.name == test::debian_name(path_), fmt::format("is called {}", facts_.name));
    expect(facts_.generation == pkvm::Generation::android14_6_1, "is not of 6.1");
    expect(!facts_.has_hyp && facts_.hyp_pages == 0 && facts_.inits.empty() && facts_.ops.empty() &&
               facts_.el2_symbols.empty(),
           "has an EL2 half");
    expect(facts_.struct_module_size == 896,
           fmt::format("struct module has {} bytes", facts_.struct_module_size));
    expect(facts_.has_versions, "has no __versions");
    expect(!facts_.sections.empty(), "has no sections");
  }

  /// An ordinary module that a distribution ships lacks our kernel's exports, and nothing else.
  void findings() {
    for (const Finding& finding : facts_.findings)
      expect(finding.level > Level::broken || finding.text.starts_with("unknown symbols: "),
             fmt::format("{}: {}", name_of(finding.level), finding.text));
  }

  /// What only modules export comes from one that this module depends on.
  void imports(const Exporters& exporters) {
    for (const ImportFact& import : facts_.imports) {
      const auto known = exporters.find(import.name);
      const bool by_module = import.state == ImportState::dependency;
      expect(import.state != ImportState::perhaps, fmt::format("{} is open", import.name));
      if (known == exporters.end())
        expect(!by_module, fmt::format("{} comes from {}", import.name, import.from));
      else if (import.state != ImportState::exported)
        expect(by_module && known->second.contains(import.from),
               fmt::format("{} comes from nowhere", import.name));
    }
  }

  void output() {
    const std::string name = path_.filename().string();
    expect(!to_text(facts_, name, Detail::everything, Colour::off).empty(), "no text");
    const auto json = nlohmann::json::parse(to_json(facts_, name), nullptr, false);
    expect(!json.is_discarded() && json["imports"].size() == facts_.imports.size() &&
               json["el1_symbols"].size() == facts_.el1_symbols.size(),
           "the JSON is another one");
  }

  const fs::path& path_;
  const Facts& facts_;
  Complaints complaints_;
};

// Every module gets its facts, in words and in JSON; none has a part at EL2, none is damaged or of
// another machine, and each import that a module has is found where the module's own list says.
TEST(DebianModules, EachIsInspected) {
  PKVMEMU_NEED_DEBIAN_MODULES();
  const Exporters exporters = find_exporters();
  ASSERT_FALSE(exporters.empty());
  const auto complaints = test::each_in_child(test::debian_modules(), [&](const fs::path& path) {
    const File file(path);
    const Facts facts =
        inspect(file.module, file.bytes, dependencies_of(file.module, exporters), disassembler());
    return Judge(path, facts).run(exporters);
  });
  EXPECT_TRUE(complaints.empty()) << test::first_of(complaints);
}

/// What llvm-readelf says of a file, in our facts' terms.
struct Reading {
  std::set<std::string> imports;
  std::set<std::string> exports;
  /// name, size, alignment; sorted, since names repeat
  std::multiset<std::tuple<std::string, std::uint64_t, std::uint64_t>> sections;
  std::map<std::pair<std::string, std::string>, std::size_t> relocations;
  bool operator==(const Reading&) const = default;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

/// "  [ 4] .text  PROGBITS  0000000000000000 000040 000d2c 00  AX  0   0  4"
void read_section(std::string line, Reading& out) {
  const auto close = line.find(']');
  if (!line.starts_with("  [") || close == std::string::npos) return;
  const auto words = words_of(line.substr(close + 1));
  constexpr std::size_t columns = 10;
  if (words.size() != columns || words[6].find('A') == std::string::npos) return;
  constexpr int hexadecimal = 16;
  out.sections.emplace(words[0], std::stoull(words[4], nullptr, hexadecimal),
                       std::stoull(words.back()));
}

/// "     7: 0000000000000000     0 NOTYPE  GLOBAL DEFAULT   UND printk"
void read_symbol(const std::string& line, Reading& out) {
  const auto words = words_of(line);
  constexpr std::size_t columns = 8;
  if (words.size() != columns || !words[0].ends_with(':')) return;
  constexpr std::string_view exported = "__ksymtab_";
  const std::string& name = words.back();
  if (words[6] == "UND")
    out.imports.insert(name);
  else if (name.starts_with(exported))
    out.exports.insert(name.substr(exported.size()));
}

Reading read_with_llvm(const fs::path& path) {
  const auto result = build::run_process(
      {"llvm-readelf-19", "--wide", "--sections", "--symbols", "--relocations", path.string()},
      "/");
  if (!result || result->exit_code != 0) throw std::runtime_error("llvm-readelf-19 failed");
  Reading out;
  std::string target;
  std::istringstream lines(result->output);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view title = "Relocation section '.rela";
    if (line.starts_with(title)) {
      target = line.substr(title.size(), line.find('\'', title.size()) - title.size());
    } else if (const auto at = line.find("R_AARCH64_"); at != std::string::npos) {
      ++out.relocations[{target, line.substr(at, line.find(' ', at) - at)}];
    } else {
      read_section(line, out);
      read_symbol(line, out);
    }
  }
  return out;
}

Reading reading_of(const Facts& facts) {
  Reading out;
  for (const ImportFact& import : facts.imports)
    out.imports.insert(import.name);
  out.exports.insert(facts.exports.begin(), facts.exports.end());
  for (const SectionFact& section : facts.sections)
    out.sections.emplace(section.name, section.size, section.alignment);
  for (const RelocationFact& own : facts.relocations)
    out.relocations[{own.section, own.type}] += own.count;
  return out;
}

Complaints compare(const Reading& ours, Reading theirs) {
  // Ours tells of what is loaded.
  std::erase_if(theirs.relocations, [&](const auto& own) {
    return std::ranges::none_of(theirs.sections, [&](const auto& section) {
      return std::get<0>(section) == own.first.first;
    });
  });
  Complaints found;
  if (ours.imports != theirs.imports) found.emplace_back("the imports differ");
  if (ours.exports != theirs.exports) found.emplace_back("the exports differ");
  if (ours.sections != theirs.sections) found.emplace_back("the sections differ");
  if (ours.relocations != theirs.relocations) found.emplace_back("the relocations differ");
  return found;
}

// Imports, exports, sections and relocations of a sample are those that llvm-readelf reads.
TEST(DebianModules, ASampleIsReadAsByLlvm) {
  PKVMEMU_NEED_DEBIAN_MODULES();
  const auto complaints = test::each_in_child(test::debian_sample(), [](const fs::path& path) {
    const File file(path);
    return compare(reading_of(inspect(file.module, file.bytes, {}, disassembler())),
                   read_with_llvm(path));
  });
  EXPECT_TRUE(complaints.empty()) << test::first_of(complaints);
}

// The comparison sees one name, one size and one relocation more or less.
TEST(DebianModules, AWrongFactIsSeen) {
  PKVMEMU_NEED_DEBIAN_MODULES();
  const Reading right = read_with_llvm(test::debian_modules().front());
  EXPECT_TRUE(compare(right, right).empty());
  ASSERT_FALSE(right.imports.empty() || right.sections.empty() || right.relocations.empty());
  Reading wrong = right;
  wrong.imports.erase(wrong.imports.begin());
  wrong.exports.insert("nothing");
  wrong.sections.erase(wrong.sections.begin());
  ++wrong.relocations.begin()->second;
  EXPECT_EQ(compare(wrong, right).size(), 4U);
}

}  // namespace
}  // namespace pkvmemu::inspect
