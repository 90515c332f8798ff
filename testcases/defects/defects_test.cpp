// SPDX-License-Identifier: GPL-2.0-only
// Each defect planted in a copy of the firmware is found by the sweep of its row in defects.yaml,
// and the firmware without it has no finding there.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

struct Defect {
  std::string name;
  std::string generation;
  std::string module;
  std::string sites;  ///< what fails
  Arguments arguments;
  std::string finds;  ///< kind of a finding

  friend void PrintTo(const Defect& defect, std::ostream* out) { *out << defect.name; }
};

std::vector<Defect> defects() {
  std::vector<Defect> rows;
  for (const YAML::Node& node : YAML::LoadFile(PKVMEMU_DEFECTS "/defects.yaml")) {
    Defect row{.name = node["name"].as<std::string>(),
               .generation = node["in"].as<std::string>(),
               .module = node["module"].as<std::string>("hello"),
               .sites = node["sites"].as<std::string>(),
               .arguments = {},
               .finds = node["finds"].as<std::string>()};
    for (const YAML::Node& argument : node["arguments"])
      row.arguments.push_back(argument.as<std::string>());
    rows.push_back(std::move(row));
  }
  return rows;
}

/// What a sweep wrote down.
struct Swept {
  std::size_t cases = 0;
  std::set<std::string> findings;
  ProcessResult process;
};

Swept sweep(const Defect& defect, const Arguments& more) {
  const ScratchDirectory records;
  Arguments command = {PKVMEMU_BUILD_DIR "/bin/pkvm-emu",
                       "sweep",
                       "--quiet",
                       module(fmt::format("{}/{}", defect.generation, defect.module)),
                       "--sites",
                       defect.sites,
                       "--jobs",
                       "1",
                       "--json",
                       records.path()};
  command.insert(command.end(), defect.arguments.begin(), defect.arguments.end());
  command.insert(command.end(), more.begin(), more.end());
  Swept swept;
  swept.process = run_process(command);
  for (const auto& file : std::filesystem::directory_iterator(records.path())) {
    std::ifstream stream(file.path());
    for (std::string line; std::getline(stream, line);) {
      const auto record = nlohmann::json::parse(line, nullptr, false);
      if (!record.is_object() || !record.contains("outcome")) continue;
      ++swept.cases;
      for (const auto& finding : record.value("findings", nlohmann::json::array()))
        swept.findings.insert(finding.at("kind").get<std::string>());
    }
  }
  return swept;
}

class EveryDefect : public testing::TestWithParam<Defect> {};

INSTANTIATE_TEST_SUITE_P(Defects, EveryDefect, testing::ValuesIn(defects()),
                         [](const auto& instance) {
                           std::string name = instance.param.name;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// The sweep over the damaged firmware has a finding of the kind that the row names.
TEST_P(EveryDefect, IsFound) {
  const Swept swept =
      sweep(GetParam(),
            {"--firmware", fmt::format(PKVMEMU_BUILD_DIR "/defects/{}.Image", GetParam().name)});
  EXPECT_THAT(swept.findings, testing::Contains(GetParam().finds))
      << swept.process.out << swept.process.err;
}

// The same sweep over the firmware without the defect finds nothing at all.
TEST_P(EveryDefect, IsNotInTheFirmware) {
  const Swept swept = sweep(GetParam(), {});
  EXPECT_GT(swept.cases, 0U) << swept.process.err;
  EXPECT_THAT(swept.findings, testing::IsEmpty()) << swept.process.out;
}

// No patch without a row, and at least as many as were promised.
TEST(Defects, EachPatchHasARow) {
  std::set<std::string> rows;
  for (const Defect& defect : defects())
    rows.insert(defect.name);
  std::set<std::string> patches;
  for (const auto& entry : std::filesystem::directory_iterator(PKVMEMU_DEFECTS))
    if (entry.path().extension() == ".patch") patches.insert(entry.path().stem());
  EXPECT_EQ(rows, patches);
  constexpr std::size_t promised = 20;
  EXPECT_GE(rows.size(), promised);
}

}  // namespace
}  // namespace pkvmemu::test
