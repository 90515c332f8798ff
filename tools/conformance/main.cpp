// SPDX-License-Identifier: GPL-2.0-only
// conformance [--check]: writes docs/conformance.md from the rows of testcases/data/conformance and
// from what the tests of this build left, or tells what keeps it from being true.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>

#include "document.h"
#include "evidence.h"
#include "rows.h"
#include "support/file.h"

namespace {

namespace conformance = pkvmemu::conformance;

struct Options {
  bool check = false;
  std::string rows = PKVMEMU_SOURCE_DIR "/testcases/data/conformance";
  std::string document = PKVMEMU_SOURCE_DIR "/docs/conformance.md";
  std::string build = PKVMEMU_BUILD_DIR;
};

int fail_with(const std::string& message) {
  std::fprintf(stderr, "conformance: %s\n", message.c_str());
  return 1;
}

bool is_on_disk(const std::string& path, std::string_view text) {
  const auto file = pkvmemu::read_file(path);
  return file && std::ranges::equal(*file, std::as_bytes(std::span(text)));
}

int run(const Options& options) {
  const auto catalogue = conformance::read_catalogue(options.rows);
  if (!catalogue) return fail_with(catalogue.error().message);
  const std::filesystem::path build = options.build;
  const auto evidence = conformance::read_evidence(build / "conformance", build / "tests");
  if (!evidence) return fail_with(evidence.error().message);

  auto problems = conformance::find_problems(*catalogue, *evidence);
  std::ranges::move(conformance::ops_without_rows(*catalogue), std::back_inserter(problems));
  for (const std::string& problem : problems)
    fail_with(problem);
  if (!problems.empty())
    return fail_with(
        fmt::format("{} problems; the tests of {} speak once they ran since they were built: ctest "
                    "-L conformance",
                    problems.size(), options.build));

  const std::string text = conformance::write_document(*catalogue, *evidence);
  if (is_on_disk(options.document, text)) return 0;
  if (options.check)
    return fail_with(options.document + " is not what the tests say: run `conformance`");
  if (const auto written = pkvmemu::write_file(options.document, std::string_view(text)); !written)
    return fail_with(written.error().message);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    CLI::App app("Writes docs/conformance.md from rows and from what the tests of a build left");
    app.add_flag("--check", options.check,
                 "Write nothing; fail when the document is not up to date");
    app.add_option("--rows", options.rows, "Folder of the rows (*.yaml)")->capture_default_str();
    app.add_option("--document", options.document, "The document")->capture_default_str();
    app.add_option("--build", options.build, "Build folder of the tests")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return run(options);
  } catch (const std::exception& error) {
    return fail_with(error.what());
  }
}
