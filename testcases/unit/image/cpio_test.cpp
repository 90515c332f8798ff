// SPDX-License-Identifier: GPL-2.0-only
// The cpio reader on what our writer makes, on archives joined as kernels take them, and on damage.
#include "image/cpio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "image/cpio_writer.h"

namespace pkvmemu::image {
namespace {

using testing::ElementsAre;

std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::string> paths(ByteView archive) {
  std::vector<std::string> result;
  CpioReader reader(archive);
  for (;;) {
    const auto entry = reader.next();
    if (!entry) return {"error"};
    if (!*entry) return result;
    result.emplace_back((*entry)->path);
  }
}

pkvmemu::Bytes archive_of(
    std::initializer_list<std::pair<std::string_view, std::string_view>> files) {
  CpioWriter writer;
  for (const auto& [path, text] : files)
    EXPECT_TRUE(writer.add_file(path, text));
  return std::move(writer).finish();
}

// Files of every length up to two paddings come back byte for byte, with their parents before them.
TEST(Cpio, WhatIsWrittenIsRead) {
  for (std::size_t length = 0; length < 10; ++length) {
    const std::string text = std::string("0123456789").substr(0, length);
    const pkvmemu::Bytes archive = archive_of({{"lib/modules/a.ko", text}, {"init", "x"}});
    EXPECT_THAT(paths(archive), ElementsAre("lib", "lib/modules", "lib/modules/a.ko", "init"));
    const auto found = find_file(archive, "lib/modules/a.ko");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(text_of((*found)->data), text);
    EXPECT_TRUE((*found)->is_file());
  }
}

// The same files give the same bytes.
TEST(Cpio, WritingIsDeterministic) {
  EXPECT_EQ(archive_of({{"a/b", "1"}, {"a/c", "2"}}), archive_of({{"a/b", "1"}, {"a/c", "2"}}));
}

// A path may begin with "/" or "./", in the archive and in the question.
TEST(Cpio, PathsAreRelative) {
  const pkvmemu::Bytes archive = archive_of({{"./etc/./x", "1"}, {"/top", "2"}});
  EXPECT_TRUE(*find_file(archive, "/top"));
  EXPECT_TRUE(*find_file(archive, "./top"));
  EXPECT_FALSE(*find_file(archive, "to"));
  EXPECT_FALSE(*find_file(archive, "etc")) << "a directory is no file";
}

// Archives joined end to end are one, and the later of two equal paths counts.
TEST(Cpio, JoinedArchivesOverride) {
  pkvmemu::Bytes joined = archive_of({{"a", "old"}, {"b", "kept"}});
  joined.resize(joined.size() + 512);
  const pkvmemu::Bytes second = archive_of({{"a", "new"}});
  joined.insert(joined.end(), second.begin(), second.end());
  EXPECT_EQ(text_of((*find_file(joined, "a"))->data), "new");
  EXPECT_EQ(text_of((*find_file(joined, "b"))->data), "kept");
}

// Bad paths are refused with a sentence.
TEST(Cpio, BadPathsAreRefused) {
  CpioWriter writer;
  EXPECT_FALSE(writer.add_file("/", "x"));
  EXPECT_FALSE(writer.add_file("dir/", "x"));
  EXPECT_FALSE(writer.add_directory(""));
  EXPECT_TRUE(writer.add_directory("dir"));
}

// An archive cut anywhere before its trailer's end is an error or shorter, never a crash; cut
// inside the trailer's padding it is whole.
TEST(Cpio, TruncationIsNoticed) {
  const pkvmemu::Bytes archive = archive_of({{"a/file", "some text"}});
  const auto whole = paths(archive);
  for (std::size_t length = 1; length < archive.size(); ++length) {
    const pkvmemu::Bytes cut(archive.begin(),
                             archive.begin() + static_cast<std::ptrdiff_t>(length));
    const auto got = paths(cut);
    if (got != whole) EXPECT_THAT(got, ElementsAre("error")) << length;
  }
  EXPECT_THAT(paths(ByteView(archive).first(110)), ElementsAre("error"));
}

// Every byte replaced by every of a few values: the reader ends.
TEST(Cpio, CorruptionNeverHangsOrCrashes) {
  const pkvmemu::Bytes archive = archive_of({{"a/file", "some text"}});
  for (std::size_t at = 0; at < archive.size(); ++at) {
    for (const unsigned value : {0x00U, 0x30U, 0x46U, 0x80U, 0xffU}) {
      pkvmemu::Bytes copy = archive;
      copy[at] = std::byte{static_cast<unsigned char>(value)};
      (void)paths(copy);
      (void)find_file(copy, "a/file");
    }
  }
}

// Errors say what is wrong and where.
TEST(Cpio, ErrorsAreNamed) {
  pkvmemu::Bytes archive = archive_of({{"a", "b"}});
  archive[6] = std::byte{'x'};
  CpioReader digits(archive);
  archive[14] = std::byte{'x'};
  EXPECT_EQ(digits.next().error().code, Code::bad_digit);
  archive[0] = std::byte{'9'};
  CpioReader magic(archive);
  EXPECT_EQ(magic.next().error().code, Code::bad_magic);
  CpioReader empty(ByteView{});
  EXPECT_FALSE(*empty.next());
}

}  // namespace
}  // namespace pkvmemu::image
