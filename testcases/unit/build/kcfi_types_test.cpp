// SPDX-License-Identifier: GPL-2.0-only
// The kCFI words that reports know by name (pkvm/kcfi_types.h), against the compiler that makes
// them.
#include "pkvm/kcfi_types.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "build/object_file.h"
#include "build/process.h"
#include "build/temp_dir.h"
#include "pkvm/kcfi_words.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

constexpr std::string_view declarations = R"(
typedef unsigned long long u64;
typedef unsigned int u32, pkvm_handle_t;
typedef _Bool bool;
typedef long ssize_t;
typedef unsigned long size_t;
typedef long long loff_t;
struct pkvm_module_ops; struct user_pt_regs; struct kvm_cpu_context; struct arm_smccc_1_2_regs;
struct work_struct; struct timer_list; struct hrtimer; struct kernel_param; struct platform_device;
struct device; struct notifier_block; struct device_attribute; struct inode; struct file;
struct seq_file;
enum pkvm_psci_notification { a }; enum hrtimer_restart { b }; enum irqreturn { c };
)";

/// The hash of each row's type, by the symbols that clang leaves for functions of other files.
std::map<std::string, std::uint64_t> hashes(const Arguments& options) {
  std::string text(declarations);
  for (std::size_t i = 0; i < pkvm::kcfi::types.size(); ++i) {
    const std::string_view prototype = pkvm::kcfi::types.at(i).prototype;
    const std::size_t at = prototype.find(" (");
    text += fmt::format("{} f{}{};\nvoid *p{} = (void *)f{};\n", prototype.substr(0, at), i,
                        prototype.substr(at + 1), i, i);
  }
  const auto directory = TempDir::create();
  EXPECT_TRUE(directory && write_file(directory->path() / "types.c", text));
  Arguments arguments{
      "clang-19", "--target=aarch64-linux-gnu", "-fsanitize=kcfi", "-c", "types.c", "-o",
      "types.o"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const auto compiled = run_process(arguments, directory->path());
  EXPECT_TRUE(compiled && compiled->exit_code == 0) << (compiled ? compiled->output : "");
  auto bytes = read_file(directory->path() / "types.o");
  if (!bytes) return {};
  const auto object = ObjectFile::parse("types.o", std::move(*bytes));
  std::map<std::string, std::uint64_t> found;
  for (const Symbol& symbol : object->symbols())
    if (symbol.name.starts_with("__kcfi_typeid_")) found[std::string(symbol.name)] = symbol.value;
  return found;
}

// Every row has the words that clang makes of its prototype, in both flavours.
TEST(KcfiTypes, AreTheCompilers) {
  const auto plain = hashes({});
  const auto normalised = hashes({"-fsanitize-cfi-icall-experimental-normalize-integers"});
  for (std::size_t i = 0; i < pkvm::kcfi::types.size(); ++i) {
    const pkvm::kcfi::Type& row = pkvm::kcfi::types.at(i);
    const std::string symbol = fmt::format("__kcfi_typeid_f{}", i);
    ASSERT_TRUE(plain.contains(symbol) && normalised.contains(symbol)) << row.prototype;
    EXPECT_EQ(plain.at(symbol), row.words.plain) << row.prototype;
    EXPECT_EQ(normalised.at(symbol), row.words.normalised) << row.prototype;
  }
}

// The words that loaders compare are among them under the same types.
TEST(KcfiTypes, HaveTheLoadersWords) {
  using pkvm::kcfi::find_type;
  for (const auto& [words, prototype] :
       {std::pair{pkvm::kcfi::hyp_init, "int (const struct pkvm_module_ops *)"},
        std::pair{pkvm::kcfi::handler, "void (struct user_pt_regs *)"},
        std::pair{pkvm::kcfi::el1_init, "int (void)"}})
    for (const std::uint32_t word : {words.plain, words.normalised}) {
      ASSERT_NE(find_type(word), nullptr) << prototype;
      EXPECT_EQ(find_type(word)->prototype, prototype);
    }
  EXPECT_EQ(find_type(0), nullptr);
}

// BRK 0x8000 | type << 5 | target (pkvm-abi.md 8.5).
TEST(KcfiTypes, ChecksNameTheirRegisters) {
  EXPECT_TRUE(pkvm::kcfi::is_check(0x8228));
  EXPECT_FALSE(pkvm::kcfi::is_check(0x800));
  EXPECT_FALSE(pkvm::kcfi::is_check(0x8400));
  EXPECT_EQ(pkvm::kcfi::check_of(0x8228).type_register, 17U);
  EXPECT_EQ(pkvm::kcfi::check_of(0x8228).target_register, 8U);
}

}  // namespace
}  // namespace pkvmemu::build
