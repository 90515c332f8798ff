// SPDX-License-Identifier: GPL-2.0-only
// Tables of relocations that say by sh_info that they patch another section than they were made for
// (pkvm-abi.md 2.2): what the kernel refuses is refused with the table's name, and the rest is
// carried out as the file says, for better or worse, on every generation.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "harness/elf_patch.h"
#include "pkvm/generation.h"
#include "support.h"

namespace pkvmemu::test {
namespace {

using image::SectionHeader;
using testing::HasSubstr;

class WrongTarget : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static ElfPatch hello() {
    return ElfPatch(content_of(module(fmt::format("{}/hello", GetParam().kmi))));
  }
  /// hello.ko with this content, run and called.
  ProcessResult run(const Bytes& content) {
    const std::filesystem::path file =
        std::filesystem::path(testing::TempDir()) /
        fmt::format("sh_info-{}-{}", GetParam().kmi, std::to_string(++runs_));
    std::filesystem::create_directories(file);
    put(file / "hello.ko", content);
    return pkvm_emu({"run", (file / "hello.ko").string(), "--call", "hello_hvc:0x11,0x22"});
  }

 private:
  int runs_ = 0;
};
std::string slug(const testing::TestParamInfo<pkvm::GenerationInfo>& instance) {
  std::string name(instance.param.kmi);
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Generations, WrongTarget, testing::ValuesIn(pkvm::generations), slug);

// The good twin: as the linker made it, it loads and answers.
TEST_P(WrongTarget, AsItWasMade) {
  const ProcessResult result = run(hello().bytes());
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

// A section that there is not: the file is refused, and the answer says which table is damaged.
TEST_P(WrongTarget, NoSuchSection) {
  const ProcessResult result =
      run(hello().section(".rela.hyp.text", &SectionHeader::info, 0x7fffU).bytes());
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.exit_code, 70) << result.err;
  EXPECT_THAT(result.out + result.err, HasSubstr("section")) << result.out << result.err;
}

// A section that is not loaded: the kernel passes the table over, and the code stays as it was. It
// goes astray at EL2, and the panic names the module.
TEST_P(WrongTarget, ASectionThatIsNotLoaded) {
  ElfPatch patched = hello();
  const auto target = static_cast<std::uint32_t>(patched.index_of(".modinfo"));
  const ProcessResult result =
      run(patched.section(".rela.hyp.text", &SectionHeader::info, target).bytes());
  EXPECT_EQ(result.exit_code, 12) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("[hello]")) << result.out;
}

// A place outside the section that it names is refused, with the place.
TEST_P(WrongTarget, AnotherSectionOfTheEl2Half) {
  ElfPatch patched = hello();
  const auto target = static_cast<std::uint32_t>(patched.index_of(".hyp.data"));
  const ProcessResult result =
      run(patched.section(".rela.hyp.text", &SectionHeader::info, target).bytes());
  EXPECT_EQ(result.exit_code, 10) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("at .hyp.data+0x")) << result.out;
}

}  // namespace
}  // namespace pkvmemu::test
