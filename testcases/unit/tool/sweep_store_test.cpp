// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;
using campaign::CaseRecord;
using campaign::SweepRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SweepRecord sweep(std::string fingerprint = "f1") {
  SweepRecord record;
  record.fingerprint = std::move(fingerprint);
  record.modules = {"hello.ko"};
  return record;
}

CaseRecord one(std::string id, campaign::Outcome outcome = campaign::Outcome::clean) {
  CaseRecord record;
  record.id = std::move(id);
  record.outcome = outcome;
  return record;
}

class Store : public testing::Test {
 protected:
  Store() {
    std::string name = (fs::temp_directory_path() / "pkvm-emu-store-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    folder_ = name;
  }
  ~Store() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] fs::path file() const { return folder_ / "out/shard-0-of-1.jsonl"; }
  [[nodiscard]] SweepStore opened(bool resumes) const {
    auto store = SweepStore::open(file(), resumes);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }
  /// A file as a sweep of two cases leaves it.
  void fill() const {
    SweepStore store = opened(false);
    ASSERT_TRUE(store.keep(sweep()));
    ASSERT_TRUE(store.keep(one("a:nth=1")));
    ASSERT_TRUE(store.keep(one("b:nth=1", campaign::Outcome::bug)));
  }
  [[nodiscard]] std::string text() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& text) const {
    fs::create_directories(file().parent_path());
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << text;
  }

  fs::path folder_;
};

// Without a file records are kept in memory, and are the result.
TEST_F(Store, InMemory) {
  SweepStore store;
  EXPECT_THAT(store.done(), IsEmpty());
  ASSERT_TRUE(store.result());
  ASSERT_TRUE(store.keep(sweep()));
  ASSERT_TRUE(store.keep(one("a:nth=1")));
  EXPECT_THAT(store.done(), ElementsAre("a:nth=1"));
  EXPECT_EQ(store.result()->sweep, sweep());
}

// A new file is made with its folder, and has each record as soon as it was kept.
TEST_F(Store, AFreshFileHasEachRecordAtOnce) {
  SweepStore store = opened(false);
  EXPECT_THAT(store.done(), IsEmpty());
  ASSERT_TRUE(store.keep(sweep()));
  EXPECT_EQ(text(), campaign::to_line(sweep()));
  ASSERT_TRUE(store.keep(one("a:nth=1")));
  EXPECT_EQ(text(), campaign::to_line(sweep()) + campaign::to_line(one("a:nth=1")));
}

// Every worker says what is swept: it is written once.
TEST_F(Store, TheSweepIsWrittenOnce) {
  SweepStore store = opened(false);
  ASSERT_TRUE(store.keep(sweep()));
  ASSERT_TRUE(store.keep(sweep()));
  EXPECT_EQ(text(), campaign::to_line(sweep()));
}

// To start with --resume where there is nothing yet is as good as without.
TEST_F(Store, ResumesFromNothing) {
  SweepStore store = opened(true);
  EXPECT_THAT(store.done(), IsEmpty());
  EXPECT_TRUE(store.keep(sweep()));
}

// Results of before are not written over by accident; the file stays as it is.
TEST_F(Store, AnEarlierSweepIsRefusedWithoutResume) {
  fill();
  const std::string before = text();
  const auto store = SweepStore::open(file(), false);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, observe::ExitCode::usage);
  EXPECT_THAT(store.error().message, HasSubstr("--resume"));
  EXPECT_EQ(text(), before);
}

// With --resume they are the beginning of the result.
TEST_F(Store, AnEarlierSweepIsGoneOnWith) {
  fill();
  const std::string before = text();
  SweepStore store = opened(true);
  EXPECT_THAT(store.done(), ElementsAre("a:nth=1", "b:nth=1"));
  ASSERT_TRUE(store.keep(sweep()));
  ASSERT_TRUE(store.keep(one("c:nth=1")));
  EXPECT_EQ(text(), before + campaign::to_line(one("c:nth=1")));
  EXPECT_EQ(store.result()->cases.size(), 3U);
}

// Wherever the writer was killed, the whole lines before count, and the next line is a line of its
// own.
TEST_F(Store, ACutOffLineIsForgotten) {
  fill();
  const std::string before = text();
  const std::string head = campaign::to_line(sweep());
  for (std::size_t length = 0; length <= before.size(); length += 3) {
    put(before.substr(0, length));
    SweepStore store = opened(true);
    ASSERT_TRUE(store.keep(sweep()));
    for (const CaseRecord& record : {one("a:nth=1"), one("b:nth=1", campaign::Outcome::bug)})
      if (!store.done().contains(record.id)) ASSERT_TRUE(store.keep(record));
    ASSERT_EQ(text(), before) << "cut off after " << length << " of " << before.size() << " bytes";
  }
}

// Opening a file to go on with it never shortens it by a whole line, not even for a moment: it is
// cut, not written anew.
TEST_F(Store, WholeLinesAreNotWrittenAgain) {
  fill();
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(file(), long_ago);
  const auto before = fs::last_write_time(file());
  const SweepStore store = opened(true);
  EXPECT_EQ(fs::last_write_time(file()), before);
}

// Records of other modules, firmware or options are no part of this sweep.
TEST_F(Store, AnotherSweepIsRefused) {
  fill();
  const std::string before = text();
  SweepStore store = opened(true);
  const auto kept = store.keep(sweep("f2"));
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, observe::ExitCode::usage);
  EXPECT_THAT(kept.error().message, HasSubstr("another sweep"));
  EXPECT_EQ(text(), before);
}

// A file of something else is told by its name, and stays as it is.
TEST_F(Store, OtherFilesAreRefused) {
  for (const std::string other : {"hello\n", "{}\n", "[1, 2]\nrest", "\n\n"}) {
    put(other);
    const auto store = SweepStore::open(file(), true);
    ASSERT_FALSE(store) << other;
    EXPECT_EQ(store.error().code, observe::ExitCode::bad_file) << other;
    EXPECT_THAT(store.error().message, HasSubstr(file().string())) << other;
    EXPECT_EQ(text(), other);
  }
}

// A folder that cannot be made is told.
TEST_F(Store, AFolderThatCannotBe) {
  for (const char* name : {"/dev/null/out/a.jsonl", "/proc/nosuch/a.jsonl"}) {
    const auto store = SweepStore::open(name, false);
    ASSERT_FALSE(store) << name;
    EXPECT_EQ(store.error().code, observe::ExitCode::bad_file);
    EXPECT_THAT(store.error().message, HasSubstr(fs::path(name).parent_path().string()));
  }
}

}  // namespace
}  // namespace pkvmemu::tool
