// SPDX-License-Identifier: GPL-2.0-only
#include "report_command.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "campaign/record.h"
#include "campaign/report_html.h"
#include "campaign/report_junit.h"
#include "campaign/report_lines.h"
#include "campaign/report_table.h"
#include "campaign/report_tap.h"
#include "campaign/summary.h"
#include "output.h"
#include "outputs.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;
using campaign::SweepResult;

struct FormatRow {
  ReportFormat format;
  const char* name;
  std::string_view suffix;  ///< of an output that is this unless --format says otherwise
};
constexpr std::array formats = {FormatRow{ReportFormat::table, "table", ".txt"},
                                FormatRow{ReportFormat::junit, "junit", ".xml"},
                                FormatRow{ReportFormat::tap, "tap", ".tap"},
                                FormatRow{ReportFormat::jsonl, "jsonl", ".jsonl"},
                                FormatRow{ReportFormat::html, "html", ".html"}};

std::map<std::string, ReportFormat> format_names() {
  std::map<std::string, ReportFormat> names;
  for (const FormatRow& row : formats)
    names.emplace(row.name, row.format);
  return names;
}

/// A file stays itself; of a directory its *.jsonl, by name.
Outcome<Paths> files_of(const fs::path& input) {
  std::error_code status;
  if (!fs::is_directory(input, status)) return Paths{input};
  Paths files;
  for (fs::directory_iterator at(input, status), end; !status && at != end; at.increment(status))
    if (at->path().extension() == ".jsonl" && !at->is_directory()) files.push_back(at->path());
  if (status) return file_error("{}: cannot read: {}", input.string(), status.message());
  if (files.empty())
    return file_error("{}: no *.jsonl in it: is it the folder that a sweep's records went to?",
                      input.string());
  std::ranges::sort(files);
  return files;
}

Outcome<Paths> all_files(const std::vector<std::string>& inputs) {
  Paths all;
  for (const std::string& input : inputs) {
    auto files = files_of(input);
    if (!files) return files;
    all.insert(all.end(), files->begin(), files->end());
  }
  return all;
}

Outcome<SweepResult> read_records(const Paths& files) {
  std::vector<Bytes> contents;
  contents.reserve(files.size());
  std::vector<campaign::NamedText> texts;
  for (const fs::path& file : files) {
    auto bytes = read_file(file);
    if (!bytes) return as_file_error(bytes.error());
    contents.push_back(std::move(*bytes));
    texts.push_back(
        {.name = file.string(),
         .text = {reinterpret_cast<const char*>(contents.back().data()), contents.back().size()}});
  }
  auto merged = campaign::merge(texts);
  if (!merged) return as_file_error(merged.error());
  return std::move(*merged);
}

std::string text_of(const SweepResult& result, ReportFormat format, campaign::Detail detail,
                    campaign::Colour colour) {
  switch (format) {
    case ReportFormat::table:
      return campaign::to_table(result, detail, colour);
    case ReportFormat::junit:
      return campaign::to_junit(result);
    case ReportFormat::tap:
      return campaign::to_tap(result);
    case ReportFormat::jsonl:
      return campaign::to_lines(result);
    case ReportFormat::html:
      return campaign::to_html(result);
  }
  std::unreachable();
}

}  // namespace

ReportCommand::ReportCommand(CLI::App& app)
    : command_(app.add_subcommand("report", "Tell what a sweep found, from its records")) {
  command_->add_option("FILE", inputs_, "Records of a sweep, or folders of *.jsonl")
      ->required()
      ->type_name("");
  command_->add_option("--format", format_, "table, junit, tap, jsonl or html; else as -o ends")
      ->transform(CLI::CheckedTransformer(format_names()))
      ->type_name("FORMAT");
  command_->add_option("-o,--output", output_, "Write into this file instead of stdout")
      ->type_name("FILE");
  command_->add_flag("--all", all_, "table: each case, not one line for those that are alike")
      ->disable_flag_override();
  command_->footer(
      "Exit codes:\n"
      "  0   every case is clean or an expected error\n"
      "  3   no records, damaged ones, or those of two sweeps\n"
      "  20  there are bugs, panics, hangs or lost cases\n"
      "\n"
      "Examples:\n"
      "  pkvm-emu report records/\n"
      "  pkvm-emu report shard-*.jsonl -o report.html\n"
      "  pkvm-emu report records/ --format junit -o sweep.xml");
}

ReportFormat ReportCommand::format() const {
  if (format_) return *format_;
  const auto* const row = std::ranges::find_if(
      formats, [this](const FormatRow& each) { return output_.ends_with(each.suffix); });
  return row == formats.end() ? ReportFormat::table : row->format;
}

Outcome<observe::ExitCode> ReportCommand::execute(const Volume& volume) const {
  const ReportFormat chosen = format();
  if (all_ && chosen != ReportFormat::table)
    return usage_error("--all is for the table: the other formats always show each case");
  const auto files = all_files(inputs_);
  if (!files) return std::unexpected(files.error());
  if (!output_.empty())
    if (auto good = check_output(output_, *files); !good) return std::unexpected(good.error());
  const auto records = read_records(*files);
  if (!records) return std::unexpected(records.error());

  auto detail = all_ ? campaign::Detail::everything : campaign::Detail::folded;
  if (volume.quiet) detail = campaign::Detail::findings;
  const bool coloured = output_.empty() && wants_colour(stdout);
  const std::string text =
      text_of(*records, chosen, detail, coloured ? campaign::Colour::on : campaign::Colour::off);
  if (output_.empty()) {
    Output(stdout).text(text);
  } else if (auto written = write_file(output_, text); !written) {
    return as_file_error(written.error());
  }
  const bool good = campaign::count_findings(records->cases) == 0;
  return good ? observe::ExitCode::good : observe::ExitCode::found;
}

}  // namespace pkvmemu::tool
