// SPDX-License-Identifier: GPL-2.0-only
// Every fault site of the firmware is reached by a run of testcases/data/fault_sites.yaml, or has
// its reason there; and every one that is reached fails when it is told to.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "fault/sites.h"
#include "harness/emulator.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using pkvm::GenerationInfo;

/// A run on one generation: its name for people, and the arguments of `pkvm-emu run`.
struct SiteRun {
  std::string name;
  Arguments arguments;
};

struct SiteData {
  std::vector<SiteRun> runs;
  std::map<std::string, std::string> reasons;
};

const GenerationInfo& generation_of(const std::string& kmi) {
  const auto* const found = std::ranges::find(pkvm::generations, kmi, &GenerationInfo::kmi);
  if (found == pkvm::generations.end()) throw std::runtime_error("no generation " + kmi);
  return *found;
}

/// "{__pkvm_NAME}" as the function ID that the generation has.
std::string with_function_id(std::string text, const GenerationInfo& generation) {
  const std::size_t open = text.find('{');
  if (open == std::string::npos) return text;
  const std::size_t close = text.find('}', open);
  const std::string name = text.substr(open + 1, close - open - 1);
  const auto row = std::ranges::find(pkvm::hypercall_rows, name, &pkvm::HypercallRow::name);
  if (row == pkvm::hypercall_rows.end()) throw std::runtime_error("no hypercall " + name);
  const auto number = pkvm::hypercall_number(generation.id, row->call);
  if (!number) throw std::runtime_error(fmt::format("{} has no {}", generation.kmi, name));
  return text.replace(open, close + 1 - open,
                      fmt::format("{:#x}", pkvm::smccc::kvm_host_id(*number)));
}

/// "NAME.ko" as the module of the generation's own build, or the only one that there is;
/// "NAME.yaml" behind whatever is before it as the file beside ours.
std::string argument_of(const std::string& text, const GenerationInfo& generation) {
  constexpr std::string_view suffix = ".ko";
  if (text.ends_with(".yaml")) {
    const std::size_t name = text.find('=') == std::string::npos ? 0 : text.find('=') + 1;
    const auto folder = std::filesystem::path(PKVMEMU_FAULT_SITES).parent_path();
    return text.substr(0, name) + (folder / text.substr(name)).string();
  }
  if (!text.ends_with(suffix)) return with_function_id(text, generation);
  const std::string name = text.substr(0, text.size() - suffix.size());
  const std::string own = module(fmt::format("{}/{}", generation.kmi, name));
  return std::filesystem::exists(own) ? own : module(name);
}

SiteRun run_of(const YAML::Node& node, const GenerationInfo& generation) {
  SiteRun run{.name = fmt::format("{}, {}", node["name"].as<std::string>(), generation.kmi),
              .arguments = {}};
  for (const YAML::Node& argument : node["arguments"])
    run.arguments.push_back(argument_of(argument.as<std::string>(), generation));
  return run;
}

SiteData read_data() {
  const YAML::Node file = YAML::LoadFile(PKVMEMU_FAULT_SITES);
  SiteData data;
  for (const YAML::Node& node : file["runs"]) {
    if (!node["in"]) {
      for (const GenerationInfo& generation : pkvm::generations)
        data.runs.push_back(run_of(node, generation));
      continue;
    }
    for (const YAML::Node& kmi : node["in"])
      data.runs.push_back(run_of(node, generation_of(kmi.as<std::string>())));
  }
  for (const auto& entry : file["unreached"])
    data.reasons.emplace(entry.first.as<std::string>(), entry.second.as<std::string>());
  return data;
}

std::vector<std::string> all_sites() {
  const auto image = read_file(PKVMEMU_FIRMWARE_IMAGE);
  if (!image) throw std::runtime_error(image.error().message);
  const auto sites = fault::find_sites(*image);
  if (!sites) throw std::runtime_error(sites.error().message);
  std::vector<std::string> names;
  for (const fault::Site& site : *sites)
    names.push_back(site.name);
  return names;
}

EmulatorRun run_with(const SiteRun& run, std::span<const std::string> faults) {
  Arguments arguments = run.arguments;
  for (const std::string& fault : faults)
    arguments.insert(arguments.end(), {"--fail", fault});
  EmulatorRun done = run_emulator(arguments);
  if (done.report.is_null()) throw std::runtime_error(run.name + ": " + done.process.err);
  return done;
}

/// The first run that reaches each site: a run with all of them watched and none ever failing.
std::map<std::string, const SiteRun*> reached_by(const std::vector<SiteRun>& runs,
                                                 const std::vector<std::string>& sites) {
  std::vector<std::string> watched;
  for (const std::string& site : sites)
    watched.push_back(site + ":nth=1000000000");
  std::map<std::string, const SiteRun*> first;
  for (const SiteRun& run : runs) {
    const EmulatorRun done = run_with(run, watched);
    for (const auto& fault : done.report.at("faults"))
      if (fault.at("reached") != 0) first.try_emplace(fault.at("site").get<std::string>(), &run);
  }
  return first;
}

class FaultSites : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    data = read_data();
    sites = all_sites();
    reached = reached_by(data->runs, sites);
  }

  static std::optional<SiteData> data;
  static std::vector<std::string> sites;
  static std::map<std::string, const SiteRun*> reached;
};
std::optional<SiteData> FaultSites::data;
std::vector<std::string> FaultSites::sites;
std::map<std::string, const SiteRun*> FaultSites::reached;

// A site is reached by a run or has a reason, never both; and a reason is one of a site that there
// is.
TEST_F(FaultSites, AreReachedOrHaveAReason) {
  for (const std::string& site : sites) {
    const bool has_reason = data->reasons.contains(site);
    const auto run = reached.find(site);
    if (run == reached.end())
      EXPECT_TRUE(has_reason) << site << ": no run reaches it, and there is no reason";
    else
      EXPECT_FALSE(has_reason) << site << ": has a reason, but '" << run->second->name
                               << "' reaches it";
  }
  for (const auto& [site, reason] : data->reasons) {
    EXPECT_THAT(sites, testing::Contains(site)) << "a reason for a site that there is not";
    EXPECT_FALSE(reason.empty()) << site;
  }
}

// A site that is told to fail does, the first time that it is reached; the run ends by itself, in
// whatever way the specification has for it, and never by a bug of ours.
TEST_F(FaultSites, FailWhenTheyAreToldTo) {
  constexpr int budget_spent = 14;
  constexpr int our_bug = 70;
  for (const auto& [site, run] : reached) {
    const EmulatorRun done = run_with(*run, std::array{site});
    EXPECT_EQ(done.report.at("faults").at(0).at("fired"), 1) << site << " in " << run->name;
    EXPECT_NE(done.process.exit_code, budget_spent) << site << " in " << run->name;
    EXPECT_LT(done.process.exit_code, our_bug) << site << " in " << run->name << "\n"
                                               << done.process.err;
  }
}

}  // namespace
}  // namespace pkvmemu::test
