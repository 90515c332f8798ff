// SPDX-License-Identifier: GPL-2.0-only
// The command line: pkvm-emu SUB-COMMAND ...; each sub-command lives in a file of its own.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "build/process.h"
#include "build_command.h"
#include "failure.h"
#include "inspect_command.h"
#include "new_command.h"
#include "observe/exit_code.h"
#include "report_command.h"
#include "run_command.h"
#include "sites_command.h"
#include "support/log.h"
#include "sweep_command.h"
#include "test_command.h"
#include "volume.h"

namespace {

using pkvmemu::observe::ExitCode;

int code_of(ExitCode code) {
  return static_cast<int>(code);
}

/// "19.1.7", or what to install; asked of the compiler itself, since modules are built with it.
std::string llvm_version() {
  const auto answer = pkvmemu::build::run_process({"clang-19", "--version"}, ".");
  const std::string mark = "clang version ";
  const std::size_t at = answer ? answer->output.find(mark) : std::string::npos;
  if (at == std::string::npos) return "19, which is not installed (clang-19, lld-19, llvm-19)";
  const std::size_t begin = at + mark.size();
  return answer->output.substr(begin, answer->output.find_first_of(" \n", begin) - begin);
}

std::string version_text() {
  return "pkvm-emu " PKVMEMU_VERSION
         "\n"
         "runs on Unicorn " PKVMEMU_UNICORN_VERSION
         ", decodes with Capstone " PKVMEMU_CAPSTONE_VERSION ", builds with LLVM " +
         llvm_version();
}

constexpr const char* examples = R"(Examples:
  pkvm-emu new mine && pkvm-emu build mine
  pkvm-emu run mine.ko --call mine_hvc:41)";

std::string names_of_commands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({}))
    names += " " + command->get_name();
  return names;
}

/// --help and --version end here too; CLI11 prints those.
int report_parse_end(const CLI::App& app, const CLI::ParseError& end, const char* first) {
  if (end.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(end);
  if (first != nullptr && first[0] != '-' && app.get_subcommands().empty()) {
    std::fprintf(stderr, "pkvm-emu: unknown sub-command '%s', expected one of:%s\n", first,
                 names_of_commands(app).c_str());
    return code_of(ExitCode::usage);
  }
  if (first != nullptr && first[0] == '-' && app.get_option_no_throw(first) == nullptr &&
      app.get_subcommands().empty()) {
    std::fprintf(stderr,
                 "pkvm-emu: unknown option '%s' before a sub-command\nTry 'pkvm-emu --help'.\n",
                 first);
    return code_of(ExitCode::usage);
  }
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  std::fprintf(stderr, "pkvm-emu: %s\nTry 'pkvm-emu%s --help'.\n", end.what(), command.c_str());
  return code_of(ExitCode::usage);
}

int run(int argc, char** argv) {
  CLI::App app("pkvm-emu: loads pKVM vendor modules into an emulated hypervisor");
  app.set_version_flag("--version", version_text, "Versions of this program and its parts");
  app.footer(examples);
  app.require_subcommand(1);
  app.fallthrough();
  pkvmemu::tool::Volume volume;
  add_volume_flags(app, volume);
  const pkvmemu::tool::RunCommand run_command(app);
  const pkvmemu::tool::BuildCommand build_command(app);
  const pkvmemu::tool::NewCommand new_command(app);
  const pkvmemu::tool::InspectCommand inspect_command(app);
  const pkvmemu::tool::SitesCommand sites_command(app);
  const pkvmemu::tool::SweepCommand sweep_command(app);
  const pkvmemu::tool::ReportCommand report_command(app);
  const pkvmemu::tool::TestCommand test_command(app);
  for (CLI::App* command : app.get_subcommands({}))
    add_volume_flags(*command, volume);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    return report_parse_end(app, end, argc > 1 ? argv[1] : nullptr);
  }
  if (volume.quiet && volume.verbose != 0) {
    std::fputs("pkvm-emu: -q and -v contradict each other: give one of them\n", stderr);
    return code_of(ExitCode::usage);
  }
  pkvmemu::log::set_level(log_level(volume));

  const auto code = [&] {
    if (build_command.chosen()) return build_command.execute(volume);
    if (inspect_command.chosen()) return inspect_command.execute(volume);
    if (sites_command.chosen()) return sites_command.execute(volume);
    if (sweep_command.chosen()) return sweep_command.execute(volume);
    if (report_command.chosen()) return report_command.execute(volume);
    if (test_command.chosen()) return test_command.execute(volume);
    if (new_command.chosen()) return new_command.execute(volume);
    return run_command.execute(volume);
  }();
  if (code) return code_of(*code);
  std::fprintf(stderr, "pkvm-emu: %s\n", code.error().message.c_str());
  return code_of(code.error().code);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, not a death
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "pkvm-emu: internal error: %s\n", problem.what());
    return code_of(ExitCode::internal);
  }
}
