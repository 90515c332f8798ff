// SPDX-License-Identifier: GPL-2.0-only
#include "harness/conformance_row.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace pkvmemu::test {
namespace {

constexpr auto property = "conformance";

std::string test_name(const testing::TestInfo& test) {
  return fmt::format("{}.{}", test.test_suite_name(), test.name());
}

/// Where a test leaves what it held: build/<preset>/conformance/PROGRAM/SUITE.NAME.json.
std::filesystem::path evidence_file(const testing::TestInfo& test) {
  return std::filesystem::path(PKVMEMU_BUILD_DIR) / "conformance" / program_invocation_short_name /
         (test_name(test) + ".json");
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// Replaces a test's evidence in one step: other tests of the program may run beside it.
void write_evidence(const testing::TestInfo& test, const std::string& rows) {
  const std::filesystem::path file = evidence_file(test);
  std::filesystem::create_directories(file.parent_path());
  const std::filesystem::path fresh = file.string() + fmt::format(".{}", getpid());
  std::ofstream(fresh) << nlohmann::json{{"program", program_invocation_short_name},
                                         {"test", test_name(test)},
                                         {"passed", test.result()->Passed()},
                                         {"holds", words_of(rows)}}
                              .dump(1)
                       << "\n";
  std::filesystem::rename(fresh, file);
}

/// Writes the evidence of each test that held a row, when the test has ended.
class EvidenceWriter final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& test) override {
    const testing::TestResult& result = *test.result();
    for (int i = 0; i < result.test_property_count(); ++i)
      if (std::string_view(result.GetTestProperty(i).key()) == property)
        write_evidence(test, result.GetTestProperty(i).value());
  }
};

void start_writing() {
  static const bool started = [] {
    // The list of listeners owns it.
    testing::UnitTest::GetInstance()->listeners().Append(
        std::make_unique<EvidenceWriter>().release());
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace

void holds(std::string_view row, pkvm::Generation generation, HeldOn on) {
  // A second RecordProperty of the same name replaces the first: the list is kept here.
  static std::string rows;
  static const testing::TestInfo* owner = nullptr;
  const testing::TestInfo* current = testing::UnitTest::GetInstance()->current_test_info();
  if (owner != current) {
    rows.clear();
    start_writing();
    // A test that dies says nothing; neither must its last run.
    std::error_code ignored;
    std::filesystem::remove(evidence_file(*current), ignored);
  }
  owner = current;
  if (!rows.empty()) rows += ' ';
  rows += fmt::format("{}@{}{}", row, pkvm::info(generation).kmi,
                      on == HeldOn::machine_and_qemu ? "+qemu" : "");
  testing::Test::RecordProperty(property, rows);
}

}  // namespace pkvmemu::test
