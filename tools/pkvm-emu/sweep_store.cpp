// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_store.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "support/file.h"

namespace pkvmemu::tool {
namespace {

using campaign::CaseRecord;
using campaign::NamedText;
using campaign::SweepRecord;

std::string text_of(const Bytes& bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

}  // namespace

Outcome<SweepStore> SweepStore::open(const std::filesystem::path& file, bool resumes) {
  SweepStore store;
  store.path_ = file;
  std::error_code status;
  std::filesystem::create_directories(file.parent_path(), status);
  if (status) return file_error("{}: {}", file.parent_path().string(), status.message());
  if (std::filesystem::exists(file, status)) {
    const auto bytes = read_file(file);
    if (!bytes) return as_file_error(bytes.error());
    store.text_ = campaign::whole_lines(text_of(*bytes));
    if (!store.text_.empty() && !resumes)
      return usage_error(
          "{}: has the results of an earlier sweep; give --resume to go on with it, or another "
          "folder",
          file.string());
    if (!store.text_.empty()) {
      const std::array texts{NamedText{.name = file.string(), .text = store.text_}};
      auto before = campaign::merge(texts);
      if (!before) return as_file_error(before.error());
      store.sweep_ = std::move(before->sweep);
    }
    // Cut, and not written again: who is killed in between loses nothing.
    if (store.text_.size() != bytes->size()) {
      std::filesystem::resize_file(file, store.text_.size(), status);
      if (status) return file_error("{}: {}", file.string(), status.message());
    }
  }
  store.file_.reset(std::fopen(file.c_str(), "a"));
  if (!store.file_) return file_error("{}: {}", file.string(), std::strerror(errno));
  return store;
}

std::set<std::string> SweepStore::done() const {
  std::set<std::string> ids;
  if (const auto all = result())
    for (const CaseRecord& one : all->cases)
      ids.insert(one.id);
  return ids;
}

Outcome<void> SweepStore::write(const campaign::Line& line) {
  const std::string text = campaign::to_line(line);
  text_ += text;
  if (!file_) return {};
  const bool good = std::fputs(text.c_str(), file_.get()) >= 0 && std::fflush(file_.get()) == 0;
  if (!good) return file_error("{}: {}", path_.string(), std::strerror(errno));
  return {};
}

Outcome<void> SweepStore::keep(const campaign::Line& line) {
  const auto* sweep = std::get_if<SweepRecord>(&line);
  if (sweep == nullptr) return write(line);
  if (!sweep_) {
    sweep_ = *sweep;
    return write(line);
  }
  if (sweep_->fingerprint == sweep->fingerprint) return {};
  return usage_error(
      "{}: has the results of another sweep: its modules, firmware or options were not these; give "
      "another folder",
      path_.string());
}

Outcome<campaign::SweepResult> SweepStore::result() const {
  if (text_.empty()) return campaign::SweepResult{};
  const std::array texts{NamedText{.name = path_.string(), .text = text_}};
  auto merged = campaign::merge(texts);
  if (!merged) return as_file_error(merged.error());
  return std::move(*merged);
}

}  // namespace pkvmemu::tool
