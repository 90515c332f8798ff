// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "campaign/corruption.h"
#include "campaign/record.h"
#include "campaign/report_table.h"
#include "campaign/report_text.h"
#include "module_file.h"
#include "output.h"
#include "pkvm/generation.h"
#include "run_command.h"
#include "support/file.h"
#include "support/number.h"
#include "sweep_crew.h"
#include "sweep_progress.h"
#include "sweep_share.h"
#include "sweep_store.h"

namespace pkvmemu::tool {
namespace {

constexpr const char* footer =
    R"(Every occurrence of every fault site in a run without faults becomes a case: the run goes to just
before it, the step fails, the run goes on to its end and is judged (docs/sweep.md).

Exit codes: those of `run` for what cannot start; 0 nothing found; 20 a case is a bug, a panic, a hang
or lost; 130 interrupted.

Examples:
  pkvm-emu sweep hello.ko
  pkvm-emu sweep hello.ko --persistent --sites 'hyp.*' --call hello_hvc:1,2
  pkvm-emu sweep a.ko b.ko --pairs --jobs 8 --json out     then: pkvm-emu report out
  pkvm-emu sweep hello.ko --shard 0/4 --json out --resume
  pkvm-emu sweep hello.ko --replay hyp.donate:nth=3)";

/// A case that does not end hangs this long at most: a good run of a sample has 2 to 6 million.
constexpr std::uint64_t default_budget = 200'000'000;
/// A worker that says nothing for so long is taken for hung: the budget ends a guest long before.
constexpr std::chrono::seconds patience{120};

volatile std::sig_atomic_t interrupted = 0;

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (value == nullptr) return std::nullopt;
  return value;
}

Outcome<Share> share_for(const std::string& text) {
  if (!text.empty()) {
    const auto share = parse_share(text);
    if (!share) return as_usage_error(share.error());
    return *share;
  }
  const auto share = share_of(from_environment);
  if (!share) return as_usage_error(share.error());
  return share->value_or(Share{});
}

bool is_found(const campaign::CaseRecord& record) {
  return campaign::is_finding(record.outcome);
}

std::string mode_text(const SweepModes& modes) {
  std::string text;
  for (const auto& [on, name] : {std::pair{modes.once, "once"},
                                 {modes.persistent, "persistent"},
                                 {modes.pairs, "pairs"},
                                 {modes.corrupt, "corrupt"}})
    if (on) text += fmt::format("{}{}", text.empty() ? "" : "+", name);
  return text;
}

campaign::SweepRecord sweep_record(const SweepWalk& walk, const RunOptions& options,
                                   const SweepModes& modes, std::vector<std::string> replay) {
  campaign::SweepRecord record;
  record.fingerprint = walk.fingerprint(modes);
  record.modules = options.modules;
  record.generation = pkvm::info(walk.generation()).kmi;
  record.mode = mode_text(modes);
  record.replay = std::move(replay);
  for (std::size_t i = 0; i < walk.sites().size(); ++i) {
    const fault::Site& site = walk.sites()[i];
    if (!walk.looks_at(site)) continue;
    record.meanings.emplace(site.name, site.meaning);
    record.occurrences.emplace(site.name, walk.occurrences()[i]);
  }
  record.cases = walk.planned(modes);
  return record;
}

/// All that a worker does.
struct Work {
  const RunOptions& options;
  const std::string& sites;
  SweepModes modes;
  Share share;
  unsigned workers;
  const std::vector<std::string>& replay;

  void operator()(const Telling& telling, unsigned number,
                  const std::set<std::string>& done) const {
    auto walk = SweepWalk::create(options, sites);
    if (!walk) return telling.fail(walk.error());
    (*walk)->measure();
    telling.say(Word::sweep, campaign::to_line(sweep_record(**walk, options, modes, replay)));
    (*walk)->walk(modes, share.of_worker(number, workers), done,
                  {.begin = [&](const std::string& id) { telling.say(Word::begin, id); },
                   .end =
                       [&](const campaign::CaseRecord& record) {
                         telling.say(Word::end, campaign::to_line(record));
                       }});
    telling.say(Word::done, "");
  }
};

}  // namespace

SweepCommand::SweepCommand(CLI::App& app)
    : command_(app.add_subcommand("sweep", "Let every step of a load fail in turn, and judge")),
      parser_(*command_, Purpose::sweep) {
  const auto option = [this](const char* name, std::string& value, const char* type,
                             const char* help) {
    return command_->add_option(name, value, help)->type_name(type);
  };
  const auto flag = [this](const char* name, bool& value, const char* help) {
    return command_->add_flag(name, value, help)->disable_flag_override();
  };
  option("--sites", sites_, "GLOB", "Only sites of this name, like 'hyp.*'");
  flag("--once", once_, "Each occurrence fails by itself (the default)");
  flag("--persistent", persistent_, "Each site fails from an occurrence on, until the end");
  flag("--pairs", pairs_,
       "Two different sites fail: the second among those that are reached after the first");
  flag("--corrupt", corrupt_,
       "No step fails: the modules' files are damaged, one byte at a time, in every header and "
       "section");
  option("--jobs", jobs_, "N", "Worker processes (default: one for each processor)");
  option("--shard", shard_, "I/N",
         "Only part I of N, counted from 0; Slurm arrays, and Kubernetes indexed jobs and GNU "
         "parallel with PKVM_EMU_SHARDS=N, tell it by themselves");
  option("--json", json_, "DIR",
         "Write each record to DIR as it comes; `pkvm-emu report DIR` makes tables, JUnit, TAP and "
         "HTML of them");
  flag("--resume", resume_, "Go on with what DIR has: cases that are done are not done again");
  option("--replay", replay_, "ID", "Run one case by itself, with a log of the ops");
  flag("--all", all_, "Show good cases one by one");
  command_->footer(footer);
}

Outcome<SweepModes> SweepCommand::modes() const {
  const bool others = persistent_ || pairs_ || corrupt_;
  return SweepModes{
      .once = once_ || !others, .persistent = persistent_, .pairs = pairs_, .corrupt = corrupt_};
}

Outcome<unsigned> SweepCommand::jobs() const {
  constexpr unsigned most = 1024;
  if (jobs_.empty()) return std::clamp(std::thread::hardware_concurrency(), 1U, most);
  const auto count = number_in(jobs_);
  if (!count || *count == 0 || *count > most)
    return usage_error("--jobs {}: expected a number from 1 to {}", jobs_, most);
  return static_cast<unsigned>(*count);
}

Outcome<RunOptions> SweepCommand::run_options() const {
  auto options = parser_.options();
  if (!options) return options;
  if (command_->get_option("--budget")->count() == 0) options->budget = default_budget;
  return options;
}

/// The command line that a replay adds the case to: all but what only a whole sweep has.
std::vector<std::string> SweepCommand::replay_line() const {
  constexpr auto left_out = std::to_array<std::string_view>(
      {"--sites", "--once", "--persistent", "--pairs", "--corrupt", "--jobs", "--shard", "--json",
       "--resume", "--replay", "--all"});
  std::vector<std::string> line{"pkvm-emu", "sweep"};
  std::map<const CLI::Option*, std::size_t> next;
  for (const CLI::Option* option : command_->parse_order()) {
    const std::string name = option->get_name();
    if (std::ranges::find(left_out, name) != left_out.end()) continue;
    const std::string value = option->results().at(next[option]++);
    if (!name.starts_with('-'))
      line.push_back(value);
    else if (value == "true")
      line.push_back(name);
    else
      line.push_back(fmt::format("{}={}", name, value));
  }
  return line;
}

/// A module's file as a case of --corrupt has it, under its own name.
Outcome<std::filesystem::path> corrupted_copy(const campaign::CorruptFile& wanted) {
  auto file = read_module(wanted.file);
  if (!file) return std::unexpected(file.error());
  if (wanted.damage.offset >= file->size())
    return usage_error("--replay: {} has {} bytes, and none at {:#x}", wanted.file, file->size(),
                       wanted.damage.offset);
  file->at(wanted.damage.offset) ^= std::byte{wanted.damage.mask};
  std::string folder = (std::filesystem::temp_directory_path() / "pkvm-emu-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    return file_error("{}: {}", folder, std::strerror(errno));
  auto path = std::filesystem::path(folder) / std::filesystem::path(wanted.file).filename();
  if (auto written = write_file(path, *file); !written) return as_file_error(written.error());
  return path;
}

Outcome<observe::ExitCode> SweepCommand::replay(RunOptions options, const Volume& volume) const {
  options.log_ops = true;
  if (const auto corrupt = campaign::parse_corruption(replay_)) {
    const auto module = std::ranges::find(options.modules, corrupt->file);
    if (module == options.modules.end())
      return usage_error("--replay {}: {} is none of the modules", replay_, corrupt->file);
    const auto copy = corrupted_copy(*corrupt);
    if (!copy) return std::unexpected(copy.error());
    *module = copy->string();
    const auto code = run_and_tell(options, volume);
    std::error_code ignored;
    std::filesystem::remove_all(copy->parent_path(), ignored);
    return code;
  }
  std::string_view rest = replay_;
  while (!rest.empty()) {
    const auto plus = std::min(rest.find('+'), rest.size());
    options.faults.emplace_back(rest.substr(0, plus));
    rest.remove_prefix(std::min(plus + 1, rest.size()));
  }
  return run_and_tell(options, volume);
}

Outcome<observe::ExitCode> SweepCommand::execute(const Volume& volume) const {
  const auto options = run_options();
  if (!options) return std::unexpected(options.error());
  if (!replay_.empty()) return replay(*options, volume);
  if (options->modules.empty())
    return usage_error("no module is given: what should be loaded and made to fail?");
  if (corrupt_ && options->initramfs)
    return usage_error("--corrupt: give the modules as files, not inside an initramfs");
  if (resume_ && json_.empty()) return usage_error("--resume: goes on with what --json DIR has");
  const auto modes = this->modes();
  if (!modes) return std::unexpected(modes.error());
  const auto workers = jobs();
  if (!workers) return std::unexpected(workers.error());
  const auto share = share_for(shard_);
  if (!share) return std::unexpected(share.error());
  // What the user can get wrong in files is found before anything starts.
  if (auto plan = make_plan(*options); !plan) return std::unexpected(plan.error());

  SweepStore store;
  if (!json_.empty()) {
    const auto name = fmt::format("shard-{}-of-{}.jsonl", share->index, share->count);
    auto opened = SweepStore::open(std::filesystem::path(json_) / name, resume_);
    if (!opened) return std::unexpected(opened.error());
    store = std::move(*opened);
  }
  SweepProgress progress(!volume.quiet && ::isatty(STDERR_FILENO) == 1);
  const auto replay = replay_line();
  interrupted = 0;
  struct sigaction action = {};
  struct sigaction previous = {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &previous);
  SweepCrew crew(*workers, patience,
                 {.work = Work{.options = *options,
                               .sites = sites_,
                               .modes = *modes,
                               .share = *share,
                               .workers = *workers,
                               .replay = replay},
                  .keep =
                      [&](const campaign::Line& line) {
                        if (const auto* sweep = std::get_if<campaign::SweepRecord>(&line))
                          progress.expect(modes->pairs ? 0 : sweep->cases / share->count);
                        if (const auto* one = std::get_if<campaign::CaseRecord>(&line))
                          progress.add(is_found(*one));
                        return store.keep(line);
                      },
                  .goes_on =
                      [&] {
                        progress.show();
                        return interrupted == 0;
                      }});
  const auto ended = crew.run(store.done());
  sigaction(SIGINT, &previous, nullptr);
  progress.clear();
  if (!ended) return std::unexpected(ended.error());
  const auto result = store.result();
  if (!result) return std::unexpected(result.error());

  Output output(stdout, volume);
  auto detail = volume.quiet ? campaign::Detail::findings : campaign::Detail::folded;
  if (all_) detail = campaign::Detail::everything;
  output.text(campaign::to_table(
      *result, detail, wants_colour(stdout) ? campaign::Colour::on : campaign::Colour::off));
  if (!volume.quiet)
    output.text(fmt::format("{} in {:.1f} s, {:.0f} cases/s, {}\n",
                            campaign::counted(progress.cases(), "case"), progress.seconds(),
                            static_cast<double>(progress.cases()) / progress.seconds(),
                            campaign::counted(*workers, "worker")));
  if (interrupted != 0) {
    std::fprintf(stderr, "pkvm-emu: interrupted%s\n",
                 json_.empty() ? "" : "; --resume goes on with the rest");
    return observe::ExitCode::interrupted;
  }
  return std::ranges::any_of(result->cases, is_found) ? observe::ExitCode::found
                                                      : observe::ExitCode::good;
}

}  // namespace pkvmemu::tool
