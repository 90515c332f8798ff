// SPDX-License-Identifier: GPL-2.0-only
// The command line of `pkvm-emu run`.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "fault/plan.h"
#include "rc.h"

namespace pkvmemu::tool {

/// --el2-only and what stands behind it, as given.
struct El2Half {
  std::string module;  ///< the file; among `modules`, too
  std::string init;
  std::vector<std::string> handlers;   ///< --hvc SYMBOL[=NAME]
  std::vector<std::string> variables;  ///< --set SYMBOL=VALUE
};

struct RunOptions {
  std::vector<std::string> modules;
  /// --call, --hvc, --smc, --psci, --late and --touch in the order given. A late line's target is
  /// the file as given.
  std::vector<RcLine> wishes;
  /// Module files that lie in the initramfs for wishes to come, and are not loaded by themselves.
  std::vector<std::string> spare_modules;
  std::vector<std::string> faults;      ///< --fail, as given
  bool faults_follow = false;           ///< more of them may be added while it runs
  std::optional<std::string> plan;      ///< --plan: a YAML file
  std::optional<fault::Plan> own_plan;  ///< one that was read already, in place of `plan`
  std::vector<El2Half> el2_only;
  std::vector<std::string> mmio;    ///< --mmio, as given
  std::vector<std::string> memory;  ///< --mem, as given
  std::optional<std::string> el3;   ///< --el3: a YAML file
  std::string cmdline;
  std::vector<std::string> devices;      ///< --device, as given
  std::vector<std::string> environment;  ///< --env: files
  std::optional<std::string> initramfs;
  std::optional<std::string> firmware;
  std::optional<std::string> json;  ///< "-": standard output
  std::optional<std::string> export_qemu;
  bool no_iommu = false;
  bool no_pvm = false;  ///< whether protected VMs can be had is not tried out
  bool as_shipped = false;
  bool lists_attacks = false;  ///< --attack=help
  bool log_ops = false;
  bool trace_events = false;
  bool stub_unresolved = false;  ///< --unresolved=stub
  std::uint64_t budget = 2'000'000'000;
};

/// Whose options they are: a sweep has its own faults and its own output.
enum class Purpose : std::uint8_t { run, sweep };

/// Declares the options on the sub-command, and reads them after it was parsed.
class RunOptionsParser {
 public:
  explicit RunOptionsParser(CLI::App& command, Purpose purpose = Purpose::run);
  Outcome<RunOptions> options() const;

 private:
  void declare_output();
  Outcome<std::vector<RcLine>> wishes() const;
  Outcome<void> take_modules(RunOptions& options) const;
  [[nodiscard]] bool is_handler(const CLI::Option* option, std::string_view text) const;
  [[nodiscard]] bool is_wish(const CLI::Option* option) const;
  Result<RcLine> parse_wish(const CLI::Option* option, std::string_view text) const;

  CLI::App* command_;
  CLI::Option* call_;
  CLI::Option* hvc_;
  CLI::Option* smc_;
  CLI::Option* psci_;
  CLI::Option* late_;
  CLI::Option* touch_;
  CLI::Option* pvm_;
  CLI::Option* vm_;
  CLI::Option* attack_;
  CLI::Option* fail_ = nullptr;
  CLI::Option* faults_plan_ = nullptr;
  CLI::Option* modules_;
  CLI::Option* el2_only_;
  CLI::Option* init_;
  CLI::Option* set_;
  CLI::Option* memory_;
  CLI::Option* mmio_;
  CLI::Option* el3_;
  CLI::Option* cmdline_;
  CLI::Option* device_;
  CLI::Option* env_;
  CLI::Option* initramfs_;
  CLI::Option* firmware_;
  CLI::Option* json_ = nullptr;
  CLI::Option* export_qemu_ = nullptr;
  CLI::Option* no_iommu_;
  CLI::Option* no_pvm_;
  CLI::Option* as_shipped_;
  CLI::Option* log_ops_ = nullptr;
  CLI::Option* trace_events_ = nullptr;
  CLI::Option* unresolved_;
  CLI::Option* budget_;
};

/// "2000000000", "500k", "30M", "2G"; at least 1.
Result<std::uint64_t> parse_budget(const std::string& text);

}  // namespace pkvmemu::tool
