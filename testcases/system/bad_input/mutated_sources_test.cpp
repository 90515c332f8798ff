// SPDX-License-Identifier: GPL-2.0-only
// Sources and Makefiles spoiled at random: the folder's reader, and whole builds, always have an
// answer. A build costs a compiler's run, so that only some are made;
// PKVMEMU_ALL_MUTATIONS=1 makes all two hundred.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "build/module_folder.h"
#include "harness/text_mutator.h"
#include "support.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr unsigned all = 200;
constexpr unsigned some = 20;

const std::array<const char*, 4> parts = {"Makefile", "hyp/Makefile", "el1.c", "hyp/el2.c"};

/// A copy of a sample, one of its files spoiled at a time.
class SpoiledSample {
 public:
  SpoiledSample() : folder_(scratch_.path() / "counter") {
    fs::copy(fs::path(PKVMEMU_SAMPLES) / "counter", folder_, fs::copy_options::recursive);
  }

  /// By turns of `choices` files.
  void spoil(unsigned seed, std::size_t choices) {
    const char* part = parts.at(seed % choices);
    const std::string good = text_of(fs::path(PKVMEMU_SAMPLES) / "counter" / part);
    for (const char* other : parts)
      put(folder_ / other, text_of(fs::path(PKVMEMU_SAMPLES) / "counter" / other));
    put(folder_ / part, TextMutator(seed).mutate(good));
  }

  [[nodiscard]] const fs::path& folder() const { return folder_; }
  [[nodiscard]] fs::path output() const { return scratch_.path() / "out.ko"; }

 private:
  ScratchDirectory scratch_;
  fs::path folder_;
};

// Any Makefile is understood, or refused with words that name it.
TEST(MutatedSources, FoldersAreReadOrRefused) {
  constexpr std::size_t makefiles = 2;
  SpoiledSample sample;
  unsigned understood = 0;
  for (unsigned seed = 0; seed < all; ++seed) {
    sample.spoil(seed, makefiles);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const auto spec = build::read_module_folder({.folder = sample.folder()});
    if (spec) {
      ++understood;
      EXPECT_FALSE(spec->el1_sources.empty());
    } else {
      EXPECT_THAT(spec.error().message, HasSubstr(sample.folder().string()));
    }
  }
  EXPECT_GT(understood, all / 20) << "everything is refused";
  EXPECT_LT(understood, all) << "the changes reach nothing";
}

// A build writes a module that inspect can read, or writes nothing and says why.
TEST(MutatedSources, BuildsEndWithAnAnswer) {
  const unsigned rounds = std::getenv("PKVMEMU_ALL_MUTATIONS") == nullptr ? some : all;
  SpoiledSample sample;
  unsigned built = 0;
  for (unsigned seed = 0; seed < rounds; ++seed) {
    sample.spoil(seed, parts.size());
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << parts.at(seed % parts.size()));
    fs::remove(sample.output());
    const auto result = pkvm_emu({"build", sample.folder(), "-o", sample.output()});
    ASSERT_THAT(result.exit_code, AnyOf(0, 3)) << result.err;
    EXPECT_EQ(fs::exists(sample.output()), result.exit_code == 0);
    if (result.exit_code == 3) {
      EXPECT_THAT(result.err, StartsWith("pkvm-emu: "));
      continue;
    }
    ++built;
    EXPECT_THAT(pkvm_emu({"inspect", sample.output()}).exit_code, AnyOf(0, 10));
  }
  EXPECT_GT(built, 0U);
  EXPECT_LT(built, rounds);
  RecordProperty("built", static_cast<int>(built));
}

}  // namespace
}  // namespace pkvmemu::test
