// SPDX-License-Identifier: GPL-2.0-only
#include "run_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "device_option.h"
#include "env_module.h"
#include "initramfs.h"
#include "module_file.h"
#include "pkvm/el2_only.h"
#include "pkvm/platform.h"
#include "run_generation.h"
#include "world_files.h"

namespace pkvmemu::tool {
namespace {

using observe::LoadTime;

std::string bootargs_for(const RunOptions& options, const RunPlan& plan) {
  std::vector<std::string> protected_modules;
  for (const auto& module : plan.modules)
    if (module.time == LoadTime::boot) protected_modules.push_back(module.name);

  namespace platform = pkvm::platform;
  std::string text = fmt::format("{}=protected {}={}", platform::param_mode,
                                 platform::param_generation, pkvm::info(plan.generation).kmi);
  if (!protected_modules.empty())
    text +=
        fmt::format(" {}={}", platform::param_protected_modules, fmt::join(protected_modules, ","));
  if (options.no_iommu) text += fmt::format(" {}=none", platform::param_iommu);
  if (!options.no_pvm) text += fmt::format(" {}", platform::param_probe_pvm);
  if (options.as_shipped) text += fmt::format(" {}", platform::param_as_shipped);
  if (options.log_ops) text += fmt::format(" {}", platform::param_log_ops);
  if (options.trace_events) text += fmt::format(" {}", platform::param_trace_events);
  if (plan.is_el2_only) text += fmt::format(" {}", pkvm::el2_only::parameter);
  if (options.stub_unresolved) text += fmt::format(" {}=stub", platform::param_unresolved);
  if (!options.cmdline.empty()) text += " " + options.cmdline;
  return text;
}

/// What the guest does and the report is about, early things first.
void plan_wishes(const std::vector<RcLine>& wishes, RunPlan& plan) {
  for (const RcPhase phase : {RcPhase::early, RcPhase::normal})
    for (const RcLine& line : wishes) {
      if (line.phase == phase) plan.note(line);
    }
}

/// The lines of a module of which only the EL2 half is wanted.
Outcome<std::vector<RcLine>> lines_of(const El2Half& half) {
  namespace words = pkvm::el2_only;
  const std::string module = module_name_of(half.module);
  std::vector<RcLine> lines;
  const auto add = [&](std::string_view option, std::string_view word,
                       const std::string& operand) -> Outcome<void> {
    auto line = parse_el2_only(module, word, operand);
    if (!line) return usage_error("{} {}: {}", option, operand, line.error().message);
    lines.push_back(std::move(*line));
    return {};
  };
  if (auto added = add("--init", words::init_word, half.init); !added)
    return std::unexpected(added.error());
  for (const std::string& handler : half.handlers)
    if (auto added = add("--hvc", words::hvc_word, handler); !added)
      return std::unexpected(added.error());
  for (const std::string& variable : half.variables)
    if (auto added = add("--set", words::set_word, variable); !added)
      return std::unexpected(added.error());
  return lines;
}

/// Puts the lines about EL2 halves before all other wishes.
Outcome<std::vector<RcLine>> wishes_of(const RunOptions& options) {
  std::vector<RcLine> wishes;
  for (const El2Half& half : options.el2_only) {
    auto lines = lines_of(half);
    if (!lines) return lines;
    std::ranges::move(*lines, std::back_inserter(wishes));
  }
  std::ranges::copy(options.wishes, std::back_inserter(wishes));
  return wishes;
}

/// Opens the files on the command line and turns late lines from files into module names.
class PlanFromFiles {
 public:
  explicit PlanFromFiles(const RunOptions& options) : generation_(options.cmdline) {}

  Outcome<RunPlan> make(const RunOptions& options) {
    auto own = wishes_of(options);
    if (!own) return std::unexpected(own.error());
    std::vector<RcLine> wishes = std::move(*own);
    for (const std::string& path : options.modules)
      if (auto added = add(path, LoadTime::boot); !added) return std::unexpected(added.error());
    for (const std::string& path : options.spare_modules)
      if (auto file = open_new(path); !file) return std::unexpected(file.error());
    for (RcLine& line : wishes) {
      if (line.verb != RcVerb::late) continue;
      if (auto added = add(line.target, LoadTime::late); !added)
        return std::unexpected(added.error());
      line.target = files_.back().name;
    }
    plan_.generation = generation_.value();
    if (auto added = add_environment(options); !added) return std::unexpected(added.error());
    auto initramfs = make_initramfs(plan_.generation, files_, wishes);
    if (!initramfs) return as_file_error(initramfs.error());
    plan_.initramfs = std::move(*initramfs);
    for (const ModuleFile& file : files_)
      plan_.module_names.push_back(file.name);
    plan_wishes(wishes, plan_);
    plan_.bootargs = bootargs_for(options, plan_);
    return std::move(plan_);
  }

 private:
  Outcome<void> add(const std::string& path, LoadTime time) {
    if (auto opened = open_new(path); !opened) return opened;
    plan_.modules.push_back(
        {.name = files_.back().name, .file = path, .time = time, .fp_code = files_.back().fp_code});
    return {};
  }

  /// Loaded before all others.
  Outcome<void> add_environment(const RunOptions& options) {
    if (options.environment.empty()) return {};
    auto file = make_env_module(options.environment, plan_.generation);
    if (!file) return std::unexpected(file.error());
    plan_.modules.insert(plan_.modules.begin(),
                         {.name = file->name, .file = file->path, .time = LoadTime::boot});
    files_.insert(files_.begin(), std::move(*file));
    return {};
  }

  /// The last of the files.
  Outcome<void> open_new(const std::string& path) {
    auto file = open_module(path);
    if (!file) return std::unexpected(file.error());
    if (auto agreed = generation_.add_module(path, file->generation); !agreed) return agreed;
    const auto same = std::ranges::find(files_, file->name, &ModuleFile::name);
    if (same != files_.end())
      return usage_error("{}: module {} is given twice, first as {}", path, file->name, same->path);
    files_.push_back(std::move(*file));
    return {};
  }

  RunPlan plan_;
  RunGeneration generation_;
  std::vector<ModuleFile> files_;
};

/// The modules are inside the archive: what the user gives are names.
Outcome<RunPlan> plan_from_initramfs(const RunOptions& options) {
  auto user = open_initramfs(*options.initramfs);
  if (!user) return std::unexpected(user.error());

  RunPlan plan;
  for (const std::string& path : options.modules)
    plan.modules.push_back({.name = module_name_of(path), .file = "", .time = LoadTime::boot});
  auto asked = wishes_of(options);
  if (!asked) return std::unexpected(asked.error());
  std::vector<RcLine> own = std::move(*asked);
  for (RcLine& line : own)
    if (line.verb == RcVerb::late) line.target = module_name_of(line.target);

  std::vector<RcLine> wishes = user->wishes;
  std::ranges::copy(own, std::back_inserter(wishes));
  for (const RcLine& line : wishes)
    if (line.verb == RcVerb::late)
      plan.modules.push_back({.name = line.target, .file = "", .time = LoadTime::late});
  plan_wishes(wishes, plan);

  std::vector<std::string> names;
  for (const auto& module : plan.modules)
    names.push_back(module.name);
  RunGeneration generation(options.cmdline);
  if (auto agreed = generation.add_archive(*options.initramfs, user->archive, names); !agreed)
    return std::unexpected(agreed.error());
  plan.generation = generation.value();
  plan.bootargs = bootargs_for(options, plan);

  if (own.empty()) wishes.clear();  // the archive already says it all
  auto archive = with_wishes(std::move(user->archive), wishes);
  if (!archive) return as_file_error(archive.error());
  plan.initramfs = std::move(*archive);
  return plan;
}

}  // namespace

void RunPlan::note(const RcLine& wish) {
  if (wish.verb == RcVerb::el2only) {
    is_el2_only = true;
    for (observe::ModuleRequest& module : modules)
      if (module.name == wish.target) module.el2_only = true;
  }
  const bool is_smc = wish.verb == RcVerb::smc || wish.verb == RcVerb::psci;
  runs_guests = runs_guests || wish.verb == RcVerb::pvm || wish.verb == RcVerb::vm ||
                wish.verb == RcVerb::attack;
  if (wish.verb == RcVerb::touch) touches.push_back(wish.target);
  if (wish.verb == RcVerb::call || wish.verb == RcVerb::hvc || is_smc)
    calls.push_back({.name = wish.target,
                     .args = wish.args,
                     .conduit = is_smc ? observe::CallConduit::smc : observe::CallConduit::hvc});
}

std::string RunPlan::module_named(std::string_view text) const {
  const std::string name = module_name_of(text);
  const bool known = std::ranges::find(module_names, name) != module_names.end();
  return known ? name : std::string();
}

Outcome<RunPlan> make_plan(const RunOptions& options) {
  if (options.initramfs && !options.environment.empty())
    return usage_error("--env: with --initramfs all modules are in the archive");
  auto devices = parse_devices(options.devices);
  if (!devices) return as_usage_error(devices.error());
  auto plan =
      options.initramfs ? plan_from_initramfs(options) : PlanFromFiles(options).make(options);
  if (!plan) return plan;
  plan->devices = std::move(*devices);
  if (auto added = add_world(options, *plan); !added) return std::unexpected(added.error());
  return plan;
}

}  // namespace pkvmemu::tool
