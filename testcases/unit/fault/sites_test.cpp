// SPDX-License-Identifier: GPL-2.0-only
#include "fault/sites.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "pkvm/errno.h"
#include "support/file.h"

namespace pkvmemu::fault {
namespace {

using pkvm::fault::Answer;
using pkvm::fault::SiteRecord;
using pkvm::fault::TableHeader;
using testing::HasSubstr;

constexpr std::uint32_t mov_x7_xzr = pkvm::fault::site_instruction | 7;

/// An image with one table of one record: the code word at 0, then the header, then the record.
class Image {
 public:
  Image() : bytes_(sizeof(std::uint64_t) + sizeof(TableHeader) + sizeof(SiteRecord)) {
    put(0, mov_x7_xzr);
    put(header_at, TableHeader{.magic = pkvm::fault::table_magic,
                               .offset = header_at,
                               .size = sizeof(SiteRecord),
                               .level = 2});
    SiteRecord record{.after = -static_cast<std::int64_t>(record_at - sizeof(mov_x7_xzr)),
                      .answer = Answer::errno_value,
                      .usual = -12,
                      .name = "hyp.some.step",
                      .meaning = "something"};
    put(record_at, record);
  }

  template <typename Type>
  Image& put(std::size_t at, const Type& value) {
    std::memcpy(bytes_.data() + at, &value, sizeof(value));
    return *this;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  static constexpr std::size_t header_at = sizeof(std::uint64_t);
  static constexpr std::size_t record_at = header_at + sizeof(TableHeader);

 private:
  Bytes bytes_;
};

// A record becomes a site: what it says, and where the instruction behind its `mov` is.
TEST(Sites, ARecordBecomesASite) {
  const auto sites = find_sites(Image().bytes());
  ASSERT_TRUE(sites) << sites.error().message;
  ASSERT_EQ(sites->size(), 1U);
  const Site& site = sites->front();
  EXPECT_EQ(site.name, "hyp.some.step");
  EXPECT_EQ(site.meaning, "something");
  EXPECT_EQ(site.el, 2U);
  EXPECT_EQ(site.usual, -12);
  ASSERT_EQ(site.places.size(), 1U);
  EXPECT_EQ(site.places[0].offset, 4U);
  EXPECT_EQ(site.places[0].reg, 7U);
}

// An image without a table is somebody else's firmware, and has no sites.
TEST(Sites, AnImageWithoutATableHasNone) {
  const auto sites = find_sites(Image().put(Image::header_at, std::uint64_t{0}).bytes());
  ASSERT_TRUE(sites);
  EXPECT_TRUE(sites->empty());
}

// A table that contradicts its image is refused, whichever field it is.
TEST(Sites, ADamagedTableIsRefused) {
  const auto header = [](auto change) {
    TableHeader damaged{.magic = pkvm::fault::table_magic,
                        .offset = Image::header_at,
                        .size = sizeof(SiteRecord),
                        .level = 2};
    change(damaged);
    Image image;
    return image.put(Image::header_at, damaged);
  };
  const std::vector<Image> damaged = {
      header([](TableHeader& own) { own.size = 2 * sizeof(SiteRecord); }),
      header([](TableHeader& own) { own.size = sizeof(SiteRecord) - 1; }),
      header([](TableHeader& own) { own.offset = 4096; }),
      header([](TableHeader& own) { own.level = 3; }),
      Image().put(0, std::uint32_t{0xd503'201f}),                        // no `mov`, a NOP
      Image().put(Image::record_at, std::int64_t{1} << 40),              // outside the image
      Image().put(Image::record_at, std::int64_t{-4096}),                // before it
      Image().put(Image::record_at + sizeof(std::int64_t), Answer{9}),   // no such answer
      Image().put(Image::record_at + offsetof(SiteRecord, name), '\0'),  // without a name
  };
  for (std::size_t i = 0; i < damaged.size(); ++i) {
    const auto sites = find_sites(damaged[i].bytes());
    ASSERT_FALSE(sites) << i;
    EXPECT_THAT(sites.error().message, HasSubstr("damaged")) << i;
  }
}

// The firmware's own: both levels, names of the form level.what, errors that have names, and each
// site is one place or more.
TEST(Sites, TheFirmwareHasThemAtBothLevels) {
  const auto image = read_file(PKVMEMU_FIRMWARE_IMAGE);
  ASSERT_TRUE(image) << image.error().message;
  const auto sites = find_sites(*image);
  ASSERT_TRUE(sites) << sites.error().message;
  std::set<unsigned> levels;
  for (const Site& site : *sites) {
    levels.insert(site.el);
    EXPECT_EQ(site.name.starts_with("hyp."), site.el == 2) << site.name;
    EXPECT_FALSE(site.meaning.empty()) << site.name;
    EXPECT_FALSE(site.places.empty()) << site.name;
    if (site.answer == Answer::errno_value)
      EXPECT_FALSE(pkvm::errno_name(site.usual).empty()) << site.name << " " << site.usual;
  }
  EXPECT_THAT(levels, testing::ElementsAre(1U, 2U));
}

}  // namespace
}  // namespace pkvmemu::fault
