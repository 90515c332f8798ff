// SPDX-License-Identifier: GPL-2.0-only
#include "fault_plan.h"

#include <fmt/format.h>

#include <random>
#include <utility>

#include "fault/plan.h"
#include "guest_symbols.h"
#include "image/cpio.h"
#include "module_file.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

Outcome<fault::Plan> read_plan(const std::string& path) {
  constexpr std::size_t largest_plan = std::size_t{1} << 20U;
  if (auto good = check_readable(path, largest_plan); !good) return as_file_error(good.error());
  const auto bytes = read_file(path);
  if (!bytes) return as_file_error(bytes.error());
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  auto plan = fault::parse_plan(path, text, observe::expectation_subjects());
  if (!plan) return as_file_error(plan.error());
  return std::move(*plan);
}

/// The module's file inside the archive.
std::span<std::byte> find_module(Bytes& initramfs, std::string_view wanted) {
  image::CpioReader reader(initramfs);
  for (auto entry = reader.next(); entry && *entry; entry = reader.next()) {
    const image::ByteView data = (*entry)->data;
    if ((*entry)->is_file() && module_in((*entry)->path, data) == wanted)
      return std::span(initramfs).subspan(static_cast<std::size_t>(data.data() - initramfs.data()),
                                          data.size());
  }
  return {};
}

Outcome<void> corrupt_modules(const std::vector<fault::Corruption>& corruptions, RunPlan& run,
                              FaultPlan& plan) {
  for (const fault::Corruption& corruption : corruptions) {
    const std::string name = module_name_of(corruption.module);
    const auto file = find_module(run.initramfs, name);
    if (file.empty())
      return file_error("{}: this run has no module '{}'", corruption.where, corruption.module);
    const auto changed = fault::corrupt(file, corruption);
    if (!changed)
      return file_error("{}: module {}: {}", corruption.where, name, changed.error().message);
    plan.corruptions.push_back(fmt::format("{}: {}", name, *changed));
  }
  return {};
}

Outcome<void> take_expectations(const std::vector<fault::Expected>& expected, FaultPlan& plan) {
  for (const fault::Expected& one : expected) {
    observe::Expectation expectation{
        .subject = one.subject, .wanted = one.wanted, .where = one.where};
    if (const auto good = observe::check(expectation); !good)
      return file_error("{}: {}", one.where, good.error().message);
    plan.expectations.push_back(std::move(expectation));
  }
  return {};
}

std::uint64_t any_seed() {
  std::random_device device;
  return device();
}

Outcome<void> add_plan(const fault::Plan& file, const fault::Names& names, RunPlan& run,
                       FaultPlan& plan) {
  for (const fault::PlannedFault& planned : file.faults) {
    auto resolved = fault::resolve(planned, names);
    if (!resolved) return as_file_error(resolved.error());
    plan.faults.push_back(std::move(*resolved));
  }
  if (file.is_random()) plan.seed = file.seed ? *file.seed : any_seed();
  if (auto taken = take_expectations(file.expected, plan); !taken) return taken;
  return corrupt_modules(file.corruptions, run, plan);
}

}  // namespace

Outcome<FaultPlan> plan_faults(const RunOptions& options, RunPlan& run,
                               std::span<const std::byte> firmware) {
  FaultPlan plan;
  if (options.faults.empty() && !options.plan && !options.own_plan && !options.faults_follow)
    return plan;
  std::optional<fault::Plan> file = options.own_plan;
  if (options.plan) {
    auto read = read_plan(*options.plan);
    if (!read) return std::unexpected(read.error());
    file = std::move(*read);
  }
  auto sites = fault::find_sites(firmware);
  if (!sites) return as_file_error(sites.error());
  plan.sites = std::move(*sites);
  *plan.symbols = guest_symbols(run.initramfs, options.firmware);
  for (const device::RegionScript& region : run.world.regions)
    plan.devices.push_back({.name = region.name, .base = region.base, .size = region.size});
  const fault::Names names{.sites = plan.sites, .symbols = *plan.symbols, .devices = plan.devices};
  for (const std::string& text : options.faults) {
    auto wanted = fault::parse_fault(text, names);
    if (!wanted) return usage_error("--fail {}: {}", text, wanted.error().message);
    plan.faults.push_back(std::move(*wanted));
  }
  if (file)
    if (auto added = add_plan(*file, names, run, plan); !added)
      return std::unexpected(added.error());
  return plan;
}

std::vector<observe::FaultReport> reports_of(const fault::Injector& injector) {
  std::vector<observe::FaultReport> reports;
  for (const fault::Happened& one : injector.happened()) {
    const auto* const answer = std::get_if<fault::Answer>(&one.fault.action);
    const bool is_site = std::holds_alternative<fault::SitePlace>(one.fault.place);
    reports.push_back({.site = one.fault.name,
                       .nth = one.fault.turn.nth,
                       .answer = answer != nullptr ? answer->values[0] : 0,
                       .reached = one.reached,
                       .fired = one.fired,
                       .fails_a_step = is_site && answer != nullptr,
                       .has_conditions = fault::has_conditions(one.fault),
                       .action = fault::text_of(one.fault.action),
                       .where = one.where,
                       .note = one.note});
  }
  return reports;
}

}  // namespace pkvmemu::tool
