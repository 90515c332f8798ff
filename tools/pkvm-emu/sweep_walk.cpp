// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_walk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <ranges>
#include <string_view>
#include <utility>

#include "campaign/corruption.h"
#include "code/disassembler.h"
#include "guest_symbols.h"
#include "machine/placement.h"
#include "module_file.h"
#include "observe/pvmfw.h"
#include "observe/verdict.h"
#include "pkvm/event.h"
#include "pkvm/hypercall.h"
#include "pkvm/platform.h"
#include "pkvm/smccc.h"
#include "run_plan.h"
#include "support/fixed_text.h"
#include "support/log.h"
#include "symbols/call_path.h"

namespace pkvmemu::tool {
namespace {

using campaign::CaseRecord;
using campaign::Explorer;
using campaign::FaultRecord;
using campaign::FrameMap;
using campaign::Occurrence;
using Lasting = campaign::Explorer::Lasting;

/// As `--fail` takes it.
std::string text_of(const FaultRecord& fault) {
  return fmt::format("{}:nth={}{}", fault.site, fault.nth,
                     fault.times == fault::every_time ? ":times=all" : "");
}

std::string id_of(const std::vector<FaultRecord>& faults) {
  return fmt::format("{}", fmt::join(faults | std::views::transform(text_of), "+"));
}

/// What a console ends with.
std::vector<std::string> last_lines(std::string_view console) {
  constexpr std::size_t kept = 24;
  std::vector<std::string> lines;
  for (const auto line : console | std::views::split('\n'))
    lines.emplace_back(std::string_view(line));
  while (!lines.empty() && lines.back().empty())
    lines.pop_back();
  if (lines.size() > kept)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kept));
  return lines;
}

constexpr std::string_view corruption_prefix = "corrupt:";

bool is_corruption(const FaultRecord& fault) {
  return fault.site.starts_with(corruption_prefix);
}

struct ByteHash {
  std::size_t operator()(std::byte one) const { return static_cast<std::size_t>(one); }
};

/// FNV-1a, 64 bits.
std::uint64_t add_to_hash(std::uint64_t hash, std::span<const std::byte> bytes) {
  constexpr std::uint64_t prime = 0x100'0000'01b3;
  for (const std::byte one : bytes)
    hash = (hash ^ static_cast<std::uint64_t>(one)) * prime;
  return hash;
}
std::uint64_t add_to_hash(std::uint64_t hash, const std::string& text) {
  return add_to_hash(hash, std::as_bytes(std::span(text)));
}

/// Of released kernels it is of interest what addresses a failed load costs (pkvm-abi.md 3.6): the
/// kernel asks for some of its own before it gives its privileges up.
RcLine question_for_addresses(pkvm::Generation generation) {
  const auto number = pkvm::hypercall_number(generation, pkvm::Hypercall::pkvm_alloc_module_va);
  RcLine line;
  line.verb = RcVerb::hvc;
  line.phase = RcPhase::early;
  line.target = fmt::format("{:#x}", pkvm::smccc::kvm_host_id(number.value_or(0)));
  line.args = {1};
  return line;
}

/// Its answer: x1 of the first call that the kernel made.
std::optional<std::uint64_t> address_told(const observe::RunReport& report) {
  if (report.calls.empty() || !report.calls.front().result) return std::nullopt;
  return report.calls.front().result->at(1);
}

constexpr unsigned el2 = 2;

bool begins_load(const machine::Event& event) {
  return !event.from_hyp && event.record.kind == pkvm::event::Kind::module_begin;
}
bool ends_load(const machine::Event& event) {
  return !event.from_hyp && event.record.kind == pkvm::event::Kind::module_end;
}

}  // namespace

/// One walk: what is to be done in it, and who hears of it.
struct SweepWalk::Job {
  const SweepModes& modes;
  Share share;
  const std::set<std::string>& done;
  const Sinks& sinks;
  std::uint64_t next_number = 0;

  /// Cases are numbered in the order of the walk, the same in every process.
  bool takes_next() { return next_number++ % share.count == share.index; }
};

SweepWalk::SweepWalk(RunOptions options, std::string pattern)
    : options_(std::move(options)), pattern_(std::move(pattern)) {}

bool SweepWalk::looks_at(const fault::Site& site) const {
  return pattern_.empty() || ::fnmatch(pattern_.c_str(), site.name.c_str(), 0) == 0;
}

Outcome<std::unique_ptr<SweepWalk>> SweepWalk::create(const RunOptions& options,
                                                      const std::string& sites) {
  std::unique_ptr<SweepWalk> walk(new SweepWalk(options, sites));
  auto plan = make_plan(options);
  if (!plan) return std::unexpected(plan.error());
  if (options.as_shipped) {
    walk->options_.wishes.insert(walk->options_.wishes.begin(),
                                 question_for_addresses(plan->generation));
    plan = make_plan(walk->options_);
    if (!plan) return std::unexpected(plan.error());
  }
  const auto firmware = firmware_for(options);
  if (!firmware) return std::unexpected(firmware.error());
  auto found = fault::find_sites(*firmware);
  if (!found) return as_file_error(found.error());
  walk->sites_ = std::move(*found);
  if (std::ranges::none_of(walk->sites_, [&](const auto& site) { return walk->looks_at(site); }))
    return usage_error(
        "--sites {}: the firmware has no fault site of such a name; `pkvm-emu sites` "
        "lists them",
        sites.empty() ? "'*'" : sites);
  constexpr std::uint64_t empty_hash = 0xcbf2'9ce4'8422'2325;
  walk->input_hash_ =
      add_to_hash(add_to_hash(add_to_hash(empty_hash, *firmware), plan->initramfs), plan->bootargs);
  walk->input_hash_ = add_to_hash(walk->input_hash_, plan->world_text);
  for (const std::string& device : options.devices)
    walk->input_hash_ = add_to_hash(walk->input_hash_, device);
  walk->explorer_ = std::make_unique<Explorer>(
      walk->sites_, [&](const fault::Site& site) { return walk->looks_at(site); });
  walk->symbols_ = guest_symbols(plan->initramfs, options.firmware);
  auto run = PreparedRun::create(
      options, std::move(*plan), *firmware,
      {.console = {}, .line = {}, .event = [self = walk.get()](const auto& event) {
         self->placement_.saw(event);
         self->explorer_->saw(event);
       }});
  if (!run) return std::unexpected(run.error());
  walk->run_ = std::move(*run);
  walk->explorer_->attach(walk->machine());
  return walk;
}

SweepWalk::Kept SweepWalk::keep() {
  // Fails only when the engine gave up, and then the run that follows says so.
  return {.snapshot = machine().take_snapshot().value_or(machine::SnapshotId{}),
          .state = explorer_->state()};
}

void SweepWalk::go_back(const Kept& kept) {
  explorer_->disarm();
  explorer_->set_state(kept.state);
  if (const auto restored = machine().restore(kept.snapshot); !restored)
    log::error("a snapshot cannot be restored: {}", restored.error().message);
}

void SweepWalk::measure() {
  start_ = keep();
  machine::Exit exit;
  while (true) {
    exit = machine().run_until_event(
        [](const machine::Event& event) { return begins_load(event) || ends_load(event); });
    if (exit.reason != machine::ExitReason::breakpoint) break;
    const machine::Event& event = machine().events().back();
    const std::size_t frames = FrameMap(machine(), pkvm::platform::default_ram_size).hyp_count();
    if (begins_load(event)) baseline_.hyp_before.try_emplace(fixed_text(event.record.name), frames);
    baseline_.hyp_after_loads = frames;
  }
  const FrameMap frames(machine(), pkvm::platform::default_ram_size);
  baseline_.report = run_->report(exit);
  // Faults make runs shorter, but for retries and reports.
  constexpr std::uint64_t times = 4;
  constexpr std::uint64_t spare = 4'000'000;
  explorer_->set_limit((baseline_.report.instructions * times) + spare);
  baseline_.hyp_end = frames.hyp_count();
  baseline_.both_end = frames.both().size();
  baseline_.neither_end = frames.neither().size();
  baseline_.writable_code = frames.writable_code();
  const auto& counts = explorer_->state().counts;
  occurrences_.assign(counts.begin(), counts.end());
  go_back(*start_);
}

std::string SweepWalk::fingerprint(const SweepModes& modes) const {
  const std::string rest = fmt::format("{} {} {} {} {} {}", PKVMEMU_VERSION, pattern_, modes.once,
                                       modes.persistent, modes.pairs, options_.budget);
  return fmt::format("{:016x}", add_to_hash(input_hash_, rest));
}

std::uint64_t SweepWalk::planned(const SweepModes& modes) const {
  const std::uint64_t kinds = (modes.once ? 1U : 0U) + (modes.persistent ? 1U : 0U);
  std::uint64_t all = 0;
  for (const std::uint64_t count : occurrences_)
    all += count * kinds;
  if (!modes.corrupt) return all;
  for (const observe::ModuleRequest& request : run_->plan().modules)
    if (const auto file = read_module(request.file); file)
      all += campaign::damages_of(*file).size();
  return all;
}

FaultRecord SweepWalk::fault_at(const Occurrence& occurrence, Lasting lasting) {
  const fault::Site& site = sites_[occurrence.site];
  return {.site = site.name,
          .meaning = site.meaning,
          .nth = occurrence.nth,
          .times = lasting == Lasting::once ? 1 : fault::every_time,
          .answer = site.usual,
          .path = path_here(),
          .disassembly = disassembly_here()};
}

std::vector<std::string> SweepWalk::path_here() {
  std::vector<std::string> names;
  for (const Va address : symbols::call_path(machine())) {
    std::string name = placement_.name_of(address, machine().el());
    // x30 is told after the place itself, and may be the same as the first record's.
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> SweepWalk::disassembly_here() {
  constexpr std::uint64_t before = 4;
  constexpr std::uint64_t after = 4;
  constexpr std::uint64_t size = sizeof(std::uint32_t);
  static const auto disassembler = code::Disassembler::create();
  if (!disassembler) return {};
  std::vector<std::string> lines;
  const std::uint64_t pc = machine().pc();
  for (std::uint64_t at = pc - (before * size); at <= pc + (after * size); at += size) {
    const auto pa = machine().physical(Va{at});
    if (!pa) continue;
    const auto bytes = machine().memory(*pa, size);
    if (!bytes) continue;
    std::uint32_t word = 0;
    std::memcpy(&word, bytes->data(), sizeof(word));
    lines.push_back(
        fmt::format("{} {:#x}  {}", at == pc ? ">" : " ", at, disassembler->text(word, at)));
  }
  return lines;
}

bool SweepWalk::was_told_to_module(const FaultRecord& fault) const {
  const fault::Site* site = fault::find_site(sites_, fault.site);
  if (site == nullptr || site->el != el2) return false;
  return std::ranges::any_of(fault.path, [](const std::string& name) {
    const auto image = name.find('[');
    return image != std::string::npos && !name.substr(image + 1).starts_with(symbols::hyp_image);
  });
}

CaseRecord SweepWalk::judged(std::string id, std::vector<FaultRecord> faults) {
  const observe::RunReport report = run_->report(explorer_->exit());
  const FrameMap frames(machine(), pkvm::platform::default_ram_size);
  campaign::Observed observed{
      .report = report,
      .pvmfw = observe::check_pvmfw(machine().pvmfw_region(), observe::builtin_pvmfw()),
      .frames = frames,
      .met = {},
      .generation = run_->plan().generation,
      .hyp_image = explorer_->image_base(2),
      .next_module = options_.as_shipped ? address_told(report) : std::nullopt};
  for (const Explorer::Failed& failed : explorer_->state().failed)
    observed.met.push_back({.site = sites_[failed.site].name,
                            .module = failed.module,
                            .in_call = failed.in_call && sites_[failed.site].el == el2,
                            .again = failed.again,
                            .probe_failed = failed.probe_failed});
  for (const FaultRecord& fault : faults)
    if (was_told_to_module(fault))
      for (campaign::Met& met : observed.met)
        if (met.site == fault.site) met.module.clear();
  for (const FaultRecord& fault : faults)
    if (is_corruption(fault)) observed.met.push_back({.site = fault.site, .module = {}});
  campaign::Judgement judgement = campaign::judge(baseline_, observed);

  CaseRecord record;
  record.id = std::move(id);
  record.faults = std::move(faults);
  record.outcome = judgement.outcome;
  if (!campaign::is_finding(record.outcome))
    for (FaultRecord& fault : record.faults)
      fault.disassembly.clear();
  record.why = std::move(judgement.why);
  record.findings = std::move(judgement.findings);
  for (observe::VerdictLine& line : observe::verdict_lines(report))
    record.verdict.push_back(std::move(line.text));
  if (record.outcome != campaign::Outcome::clean) record.log = last_lines(report.console);
  record.instructions = report.instructions;
  record.exit_code = static_cast<int>(report.exit_code);
  return record;
}

void SweepWalk::run_case(Job& job, const Occurrence& occurrence,
                         const std::vector<FaultRecord>& before, Lasting lasting) {
  std::vector<FaultRecord> faults = before;
  faults.push_back(fault_at(occurrence, lasting));
  const std::string id = id_of(faults);
  if (job.done.contains(id)) return;
  job.sinks.begin(id);
  const Kept kept = keep();
  explorer_->fail(occurrence, faults.back().answer, lasting);
  explorer_->finish();
  job.sinks.end(judged(id, std::move(faults)));
  go_back(kept);
  forget(kept);
}

void SweepWalk::walk_seconds(Job& job, const Occurrence& occurrence) {
  const Kept kept = keep();
  const std::vector<FaultRecord> first{fault_at(occurrence, Lasting::once)};
  explorer_->fail(occurrence, first.front().answer, Lasting::once);
  std::set<std::size_t> seen{occurrence.site};
  while (const auto second = explorer_->next())
    if (seen.insert(second->site).second) run_case(job, *second, first, Lasting::once);
  go_back(kept);
  forget(kept);
}

/// Each damage is done just before the kernel starts to load the module, where its file lies in the
/// initramfs.
void SweepWalk::walk_corruptions(Job& job) {
  go_back(*start_);
  while (machine().run_until_event(begins_load).reason == machine::ExitReason::breakpoint)
    corrupt_module(job, fixed_text(machine().events().back().record.name));
}

void SweepWalk::corrupt_module(Job& job, const std::string& name) {
  const auto request = std::ranges::find(run_->plan().modules, name, &observe::ModuleRequest::name);
  if (request == run_->plan().modules.end() || request->file.empty()) return;
  const auto file = read_module(request->file);
  if (!file) return;
  const Bytes& archive = run_->plan().initramfs;
  const auto found =
      std::search(archive.begin(), archive.end(),
                  std::boyer_moore_horspool_searcher(file->begin(), file->end(), ByteHash{}));
  if (found == archive.end()) return;
  const Pa base = machine::initrd_address(pkvm::platform::default_ram_size) +
                  static_cast<std::uint64_t>(found - archive.begin());
  const Kept kept = keep();
  for (const campaign::DamagedByte& damage : campaign::damages_of(*file)) {
    const std::string id = campaign::id_of(request->file, damage);
    if (!job.takes_next() || job.done.contains(id)) continue;
    job.sinks.begin(id);
    const std::byte changed = file->at(damage.offset) ^ std::byte{damage.mask};
    if (const auto done = machine().write_memory(base + damage.offset, std::span(&changed, 1));
        !done)
      log::error("{}: {}", id, done.error().message);
    explorer_->finish();
    job.sinks.end(judged(id, {{.site = std::string(corruption_prefix) + request->file,
                               .meaning = damage.where,
                               .nth = damage.offset,
                               .times = 1,
                               .answer = damage.mask,
                               .path = {},
                               .disassembly = {}}}));
    go_back(kept);
  }
  forget(kept);
}

void SweepWalk::walk(const SweepModes& modes, Share share, const std::set<std::string>& done,
                     const Sinks& sinks) {
  Job job{.modes = modes, .share = share, .done = done, .sinks = sinks};
  if (modes.corrupt) walk_corruptions(job);
  if (!modes.once && !modes.persistent && !modes.pairs) return;
  go_back(*start_);
  while (const auto occurrence = explorer_->next()) {
    if (modes.once && job.takes_next()) run_case(job, *occurrence, {}, Lasting::once);
    if (modes.persistent && job.takes_next()) run_case(job, *occurrence, {}, Lasting::from_now_on);
    if (modes.pairs && occurrence->nth == 1 && job.takes_next()) walk_seconds(job, *occurrence);
  }
}

}  // namespace pkvmemu::tool
