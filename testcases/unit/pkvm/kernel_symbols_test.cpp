// SPDX-License-Identifier: GPL-2.0-only
// The tables of what our EL1 kernel gives to modules, and the document about them, which is written
// from the tables: PKVMEMU_WRITE_DOCS=1 makes the test write it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "pkvm/exports.h"
#include "pkvm/stub_words.h"
#include "pkvm/stubs.h"

namespace pkvm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A paragraph of a .def file: the comment over it, and the names of its rows.
struct Group {
  std::string title;
  std::vector<std::string> names;
};

/// The first sentence of a comment is the title.
std::vector<Group> groups_of(const std::string& path, std::string_view macro) {
  std::istringstream lines(text_of(path));
  std::vector<Group> groups;
  std::string comment;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) comment.clear();
    if (line.starts_with("// ") && line != "// clang-format on" && line != "// clang-format off")
      comment += (comment.empty() ? "" : " ") + line.substr(3);
    if (!line.starts_with(macro)) continue;
    if (!comment.empty()) groups.push_back({.title = comment, .names = {}});
    comment.clear();
    const std::string row = line.substr(macro.size() + 1);
    groups.back().names.push_back(row.substr(0, row.find(',')));
  }
  return groups;
}

std::string page() {
  std::string text = R"(<!-- SPDX-License-Identifier: GPL-2.0-only -->
# What the EL1 kernel gives to modules

Written from `include/pkvm/exports.def` and `include/pkvm/stubs.def` by `PKVMEMU_WRITE_DOCS=1
build/release/tests/test_kernel_symbols`; a test compares. What is neither here nor exported by a module that
is loaded already is unknown: the load is refused, `--unresolved=stub` stands in, or `--env FILE` brings it.

## Real ones

They do what a kernel's do, as far as modules can see ([modules.md](modules.md) for how).
)";
  for (const Group& group : groups_of(PKVMEMU_EXPORTS_DEF, "PKVM_EXPORT")) {
    text += "\n- " + group.title;
    for (std::size_t i = 0; i < group.names.size(); ++i)
      text += std::string(i == 0 ? " `" : ", `") + group.names[i] + "`";
    text += "\n";
  }
  text += R"(
## Declared stubs

Functions with nothing behind them here. They answer as a kernel does on a device without that hardware,
each is told on the console the first time that it is called, and in the verdict and the report.
)";
  for (const Group& group : groups_of(PKVMEMU_STUBS_DEF, "PKVM_STUB")) {
    text += "\n" + group.title + "\n\n| function | answer |\n|---|---|\n";
    for (const std::string& name : group.names)
      text += "| `" + name + "` | " + stub_words(find_stub(name).value()) + " |\n";
  }
  return text;
}

// No name has two rows, and each is found as its own row.
TEST(KernelSymbols, EveryNameHasOneRow) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < export_names.size(); ++i) {
    EXPECT_TRUE(names.insert(export_names[i]).second) << export_names[i];
    EXPECT_EQ(find_export(export_names[i]), i) << export_names[i];
  }
  for (std::size_t i = 0; i < declared_stubs.size(); ++i) {
    EXPECT_TRUE(names.insert(declared_stubs[i].name).second) << declared_stubs[i].name;
    EXPECT_EQ(find_stub(declared_stubs[i].name), i) << declared_stubs[i].name;
  }
}

// The bad twins: names that are nowhere, before the first row, behind the last, and in between.
TEST(KernelSymbols, OtherNamesAreNotFound) {
  for (const std::string_view name :
       {"", "AAA", "zzz", "debugfs_create_di", "debugfs_create_dirs"}) {
    EXPECT_EQ(find_export(name), std::nullopt) << name;
    EXPECT_EQ(find_stub(name), std::nullopt) << name;
  }
}

// Only what returns a number or a pointer returns an error, and every reason reads on from
// "because".
TEST(KernelSymbols, RowsMakeSense) {
  for (std::size_t i = 0; i < declared_stubs.size(); ++i) {
    const DeclaredStub& row = declared_stubs[i];
    if (row.returns != StubReturns::number && row.returns != StubReturns::pointer)
      EXPECT_EQ(row.error, Errno::none) << row.name;
    if (row.error != Errno::none)
      EXPECT_THAT(errno_name(static_cast<long>(row.error)), testing::Not(IsEmpty())) << row.name;
    EXPECT_THAT(stub_reasons[i], testing::Not(IsEmpty())) << row.name;
    EXPECT_FALSE(stub_reasons[i].ends_with(".")) << row.name;
  }
}

// What each kind of answer is in words.
TEST(KernelSymbols, AnswersHaveWords) {
  EXPECT_EQ(stub_words(*find_stub("debugfs_create_dir")),
            "returns ERR_PTR(-ENODEV) because there is no debugfs");
  EXPECT_EQ(stub_answer(declared_stubs[*find_stub("request_firmware")]), "returns -ENOENT");
  EXPECT_EQ(stub_answer(declared_stubs[*find_stub("misc_register")]), "returns 0");
  EXPECT_EQ(stub_answer(declared_stubs[*find_stub("free_irq")]), "returns NULL");
  EXPECT_EQ(stub_answer(declared_stubs[*find_stub("get_device")]), "returns its first argument");
  EXPECT_EQ(stub_answer(declared_stubs[*find_stub("class_create")]), "returns an empty object");
  EXPECT_EQ(stub_answer(declared_stubs[*find_stub("misc_deregister")]), "returns nothing");
}

// The document says what the tables say.
TEST(KernelSymbols, TheDocumentIsUpToDate) {
  const std::string wanted = page();
  if (std::getenv("PKVMEMU_WRITE_DOCS") != nullptr)
    std::ofstream(PKVMEMU_KERNEL_SYMBOLS_PAGE, std::ios::binary) << wanted;
  EXPECT_EQ(text_of(PKVMEMU_KERNEL_SYMBOLS_PAGE), wanted)
      << "write it anew: PKVMEMU_WRITE_DOCS=1 test_kernel_symbols";
  EXPECT_THAT(wanted, HasSubstr("`__pkvm_load_el2_module`"));
}

}  // namespace
}  // namespace pkvm
