// SPDX-License-Identifier: GPL-2.0-only
// The object reader never reads outside the file, whatever the file says.
#include "build/object_file.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "support/file.h"

namespace pkvmemu::build {
namespace {

Bytes sample() {
  return read_file(std::string(PKVMEMU_BUILD_DIR) + "/modules/hello.ko").value();
}

// Something that is not an object is refused by name.
TEST(ObjectFile, OtherFilesAreRefused) {
  const Result<ObjectFile> parsed = ObjectFile::parse("notes.txt", Bytes(100, std::byte{'x'}));
  ASSERT_FALSE(parsed);
  EXPECT_TRUE(parsed.error().message.starts_with("notes.txt: not a readable AArch64 object: "))
      << parsed.error().message;
}

// An object for another machine is refused: byte 18 holds e_machine.
TEST(ObjectFile, OtherMachinesAreRefused) {
  Bytes image = sample();
  image[18] = std::byte{62};
  EXPECT_FALSE(ObjectFile::parse("x86.o", image));
}

// Cut anywhere, the file is refused or read, never overrun (the sanitizers watch): the section
// header table is at the end, so every cut loses some of it.
TEST(ObjectFile, EveryTruncationIsRefused) {
  const Bytes whole = sample();
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ObjectFile::parse("cut.o", cut)) << size;
  }
  EXPECT_TRUE(ObjectFile::parse("whole.o", whole));
}

// Random bytes changed in the headers and tables: an error or a result, no overrun.
TEST(ObjectFile, ChangedBytesDoNotOverrun) {
  constexpr unsigned seed = 20240601;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const Bytes whole = sample();
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes image = whole;
    for (int change = 0; change < 8; ++change) {
      // Half of the changes hit the ELF header, the rest the tables behind the sections.
      const std::size_t tables = whole.size() - 0x1000;
      const std::size_t at = (random() & 1) != 0 ? random() % 64 : tables + random() % 0x1000;
      image[at] = static_cast<std::byte>(random());
    }
    refused += ObjectFile::parse("changed.o", image) ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace pkvmemu::build
