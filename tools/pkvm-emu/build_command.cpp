// SPDX-License-Identifier: GPL-2.0-only
#include "build_command.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "build/module_folder.h"
#include "build/process.h"
#include "outputs.h"
#include "pkvm/generation.h"
#include "sdk_folder.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;

constexpr const char* footer =
    R"(A source in a folder named hyp is EL2's; every other one is EL1's. clang-19, lld-19 and llvm-19
have to be installed. Exit codes: 0 good, 2 usage, 3 a source or the Makefile has to be mended.

Examples:
  pkvm-emu build firmware/modules/hello          # its Makefile lists the sources; writes hello.ko
  pkvm-emu build el1.c hyp/el2.c -o mine.ko
  pkvm-emu build mine --kmi android16-6.12 -D DEBUG -I include)";

const std::map<std::string, build::Cfi> cfi_names{
    {"off", build::Cfi::off}, {"plain", build::Cfi::plain}, {"normalised", build::Cfi::normalised}};

std::map<std::string, pkvm::Generation> generation_names() {
  std::map<std::string, pkvm::Generation> names;
  for (const pkvm::GenerationInfo& row : pkvm::generations)
    names.emplace(std::string(row.kmi), row.id);
  return names;
}

std::string not_empty(const std::string& text) {
  return text.empty() ? "the name that follows is empty" : "";
}

bool is_directory(const std::string& path) {
  std::error_code status;
  return fs::is_directory(path, status);
}

/// What follows --depends is a file, or else a module's name.
bool is_module_file(const std::string& text) {
  return text.ends_with(".ko");
}

bool is_el2_source(const fs::path& source) {
  return source.parent_path().filename() == "hyp" || source.string().ends_with(".nvhe.c");
}

/// Ctrl-C, a closed terminal or a kill ends the compiler; we live on to remove what was made.
class InterruptIsNoted {
 public:
  InterruptIsNoted() {
    seen_flag = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) {
      seen_flag = 1;
      build::stop_processes();
    };
    for (Caught& each : caught_) {
      sigaction(each.signal, &action, &each.previous);
      // nohup, and shells that put a job into the background, have them ignored.
      if (each.previous.sa_handler == SIG_IGN) sigaction(each.signal, &each.previous, nullptr);
    }
  }
  ~InterruptIsNoted() {
    for (const Caught& each : caught_)
      sigaction(each.signal, &each.previous, nullptr);
  }
  InterruptIsNoted(const InterruptIsNoted&) = delete;
  InterruptIsNoted& operator=(const InterruptIsNoted&) = delete;

  [[nodiscard]] static bool seen() { return seen_flag != 0; }

 private:
  struct Caught {
    int signal;
    struct sigaction previous = {};
  };

  static inline volatile std::sig_atomic_t seen_flag = 0;
  std::array<Caught, 3> caught_ = {{{SIGINT}, {SIGTERM}, {SIGHUP}}};
};

}  // namespace

BuildOptionsParser::BuildOptionsParser(CLI::App& command) {
  command.add_option("SOURCE", inputs_, "The module's folder, or its C sources")->type_name("");
  command.add_option("--el1", el1_sources_, "C sources of the kernel half, wherever they are");
  command.add_option("--el2", el2_sources_, "C sources of the hypervisor half");
  command.add_option("-o,--output", output_, "The module to write (default: NAME.ko here)")
      ->check(not_empty)
      ->type_name("FILE");
  command.add_option("--name", name_, "The module's name (default: the folder's or FILE's)")
      ->check(not_empty)
      ->type_name("NAME");
  command.add_option("--kmi", generation_, "Kernel generation")
      ->transform(CLI::CheckedTransformer(generation_names()))
      ->option_text("android14-6.1|android15-6.6|android16-6.12 (android15-6.6)");
  cfi_option_ = command
                    .add_option("--cfi", cfi_,
                                "Type hashes before functions; default: as the generation has them")
                    ->transform(CLI::CheckedTransformer(cfi_names))
                    ->option_text("off|plain|normalised");
  command.add_option("-I", include_directories_, "Also look for headers here")
      ->allow_extra_args(false)
      ->type_name("DIR");
  command.add_option("-D", defines_, "Define a macro")
      ->allow_extra_args(false)
      ->type_name("NAME[=VALUE]");
  command
      .add_option("--depends", depends_,
                  "A module that has to be loaded before: by its name, or a file, if that exports "
                  "what this one uses; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE.ko|NAME");
  command.add_flag("--fatal-warnings", fatal_warnings_, "Compiler warnings are errors")
      ->disable_flag_override();
  command.add_option("--sdk", sdk_, "Where the SDK is (default: beside the program)")
      ->type_name("DIR");
  command.footer(footer);
}

Outcome<build::ModuleSpec> BuildOptionsParser::from_folder(const std::string& folder) const {
  if (inputs_.size() > 1 || !el1_sources_.empty() || !el2_sources_.empty())
    return usage_error("{} is a folder: it is built by itself, without further sources", folder);
  std::optional<std::string> name;
  if (!name_.empty()) name = name_;
  auto spec =
      build::read_module_folder({.folder = folder, .generation = generation_, .name = name});
  if (!spec) return as_file_error(spec.error());
  return std::move(*spec);
}

/// --name, else the file to write, else the folder that the first source lies in.
Outcome<std::string> BuildOptionsParser::name_for(const std::vector<fs::path>& el1_sources) const {
  if (!name_.empty()) return name_;
  fs::path named = output_;
  if (output_.empty()) {
    std::error_code status;
    named = fs::absolute(el1_sources.front(), status).lexically_normal().parent_path();
  } else {
    named = named.stem();
  }
  std::string name = build::kernel_module_name(named.filename().string());
  if (auto good = build::check_module_name(name); !good)
    return usage_error("{}; name it with --name", good.error().message);
  return name;
}

Outcome<build::ModuleSpec> BuildOptionsParser::from_sources() const {
  build::ModuleSpec spec;
  spec.el1_sources = el1_sources_;
  spec.el2_sources = el2_sources_;
  for (const std::string& input : inputs_) {
    if (is_directory(input))
      return usage_error("{} is a folder: it is built by itself, without further sources", input);
    if (!input.ends_with(".c"))
      return usage_error("{}: expected a folder or C sources (NAME.c)", input);
    (is_el2_source(input) ? spec.el2_sources : spec.el1_sources).emplace_back(input);
  }
  if (spec.el1_sources.empty())
    return usage_error("no source of the EL1 half is given: its init loads the EL2 half");
  auto name = name_for(spec.el1_sources);
  if (!name) return std::unexpected(name.error());
  spec.name = std::move(*name);
  spec.generation = generation_;
  return spec;
}

Outcome<void> BuildOptionsParser::add_dependencies(build::ModuleSpec& spec) const {
  for (const std::string& each : depends_) {
    if (!is_module_file(each)) {
      spec.depends.push_back(each);
      continue;
    }
    auto other = build::read_other_module(each);
    if (!other) return as_file_error(other.error());
    spec.others.push_back(std::move(*other));
  }
  return {};
}

Outcome<BuildOptions> BuildOptionsParser::options() const {
  if (inputs_.empty() && el1_sources_.empty())
    return usage_error("nothing to build: name a module's folder or its sources");
  std::vector<std::string> names;
  std::ranges::copy_if(depends_, std::back_inserter(names),
                       [](const std::string& each) { return !is_module_file(each); });
  if (!name_.empty()) names.push_back(name_);
  for (const std::string& name : names)
    if (auto good = build::check_module_name(name); !good) return as_usage_error(good.error());
  auto spec = inputs_.size() == 1 && is_directory(inputs_.front()) ? from_folder(inputs_.front())
                                                                   : from_sources();
  if (!spec) return std::unexpected(spec.error());
  spec->include_directories = include_directories_;
  spec->defines = defines_;
  if (auto done = add_dependencies(*spec); !done) return std::unexpected(done.error());
  if (cfi_option_->count() != 0) spec->cfi = cfi_;
  if (fatal_warnings_) spec->warnings = build::Warnings::fatal;
  spec->sdk = sdk_;
  if (sdk_.empty()) {
    auto found = find_sdk();
    if (!found) return as_file_error(found.error());
    spec->sdk = std::move(*found);
  }
  BuildOptions options{.spec = std::move(*spec), .output = output_};
  if (options.output.empty()) options.output = options.spec.name + ".ko";
  return options;
}

Outcome<std::string> build_and_write(const BuildOptions& options) {
  Paths sources = options.spec.el1_sources;
  std::ranges::copy(options.spec.el2_sources, std::back_inserter(sources));
  if (auto good = check_output(options.output, sources); !good)
    return std::unexpected(good.error());
  const InterruptIsNoted interrupt;
  const auto built = build::build_module(options.spec);
  if (InterruptIsNoted::seen())
    return std::unexpected(
        Failure{observe::ExitCode::interrupted, "interrupted: nothing was written"});
  if (!built) return as_file_error(built.error());
  std::fputs(built->messages.c_str(), stderr);
  if (auto written = write_file(options.output, built->image); !written)
    return as_file_error(written.error());
  return built->notes;
}

BuildCommand::BuildCommand(CLI::App& app)
    : command_(app.add_subcommand("build", "Build a module from its sources")),
      parser_(*command_) {}

Outcome<observe::ExitCode> BuildCommand::execute(const Volume& volume) const {
  const auto options = parser_.options();
  if (!options) return std::unexpected(options.error());
  const auto notes = build_and_write(*options);
  if (!notes) return std::unexpected(notes.error());
  std::fputs(notes->c_str(), stderr);
  if (!volume.quiet)
    std::printf("%s: module %s for %s\n", options->output.c_str(), options->spec.name.c_str(),
                std::string(pkvm::info(options->spec.generation).kmi).c_str());
  return observe::ExitCode::good;
}

}  // namespace pkvmemu::tool
