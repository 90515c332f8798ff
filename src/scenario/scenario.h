// SPDX-License-Identifier: GPL-2.0-only
// A scenario file: a sentence, what is to run, and what is expected of it (docs/scenarios.md). It
// is read here without looking at any other file; what its wishes mean is for those who run it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fault/plan.h"
#include "pkvm/generation.h"
#include "scenario/expectation.h"
#include "scenario/yaml.h"
#include "support/result.h"

namespace pkvmemu::scenario {

/// Code that stands in the scenario itself.
struct InlineText {
  std::string text;
  int first_line = 1;  ///< in the scenario's file
};

enum class ModuleKind : std::uint8_t { file, assembly, c };

/// What stands for an EL1 half that does not run: as --init, --hvc and --set.
struct El2Only {
  std::string init{};
  std::vector<std::string> handlers{};
  std::vector<std::string> variables{};
};

struct Module {
  ModuleKind kind = ModuleKind::file;
  std::string name{};  ///< of the module; of a file as it is given
  InlineText el2{};
  std::optional<InlineText> el1{};    ///< C; made up when it is not there
  std::optional<El2Only> el2_only{};  ///< only its EL2 half
  Mark at{};
};

/// Before or after the host gives up its privileges.
enum class Phase : std::uint8_t { early, normal };

/// Something that the kernel is asked to do, as a line of /pkvm-emu.rc has it.
struct Wish {
  std::string verb{};  ///< one of wish_verbs
  Phase phase = Phase::normal;
  std::string text{};
  Mark at{};
  YAML::Node expect{};  ///< undefined when nothing is expected
};

// YAML::Node, which a wish has, cannot promise not to throw.
// NOLINTNEXTLINE(bugprone-exception-escape)
struct Scenario {
  std::string file;  ///< as given
  std::string sentence;
  std::vector<pkvm::Generation> generations;  ///< empty: that of the modules' files
  std::vector<Module> modules;
  std::vector<std::string> faults;  ///< as --fail takes them
  std::vector<Mark> fault_marks;
  std::optional<fault::Plan> plan;       ///< one that stands here
  std::optional<std::string> plan_file;  ///< as --plan takes it
  YAML::Node plan_node{};                ///< of either
  std::vector<Wish> wishes;
  std::vector<std::string> mmio;  ///< as --mmio takes them
  std::vector<Mark> mmio_marks;
  std::vector<std::string> memory;  ///< as --mem takes them
  std::vector<Mark> memory_marks;
  std::optional<std::string> el3;
  std::vector<std::string> devices;      ///< as --device takes them
  std::vector<std::string> environment;  ///< files, as --env takes them
  std::string cmdline;
  std::optional<std::string> initramfs;
  std::optional<std::string> firmware;
  std::optional<std::string> budget;  ///< as --budget takes it
  Mark budget_mark{};
  bool as_shipped = false;
  bool no_iommu = false;
  bool no_pvm = false;
  bool log_ops = false;
  bool trace_events = false;
  bool stub_unresolved = false;
  YAML::Node expect{};
};

inline constexpr auto wish_verbs = std::to_array<std::string_view>(
    {"call", "hvc", "smc", "psci", "touch", "late", "pvm", "vm", "attack"});

/// The error has "FILE:LINE:COLUMN: " in front.
Result<Scenario> parse_scenario(const std::string& text, std::string_view file);

/// All that the scenario expects of a run on that generation.
Result<Expectations> expectations_of(const Scenario& scenario, pkvm::Generation generation);

}  // namespace pkvmemu::scenario
