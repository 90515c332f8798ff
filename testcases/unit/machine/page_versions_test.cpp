// SPDX-License-Identifier: GPL-2.0-only
// Copies of pages, by a model that keeps all of RAM for each point: after any sequence of stores,
// points and returns, memory is what it was, and what nobody needs is freed.
#include "machine/page_versions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "harness/random_seed.h"

namespace pkvmemu::machine {
namespace {

using Memory = std::vector<std::byte>;

constexpr PageVersions::Page page_count = 12;

class Pages : public testing::Test {
 protected:
  Pages() : ram_(page_count * page_size), versions_(ram_) {}

  void store(PageVersions::Page page, std::uint64_t offset, std::byte value) {
    versions_.about_to_store(page);
    ram_[page * page_size + offset] = value;
  }
  void go_to(PageVersions::Point point) {
    versions_.put_back(point, versions_.changed_since(point));
  }

  Memory ram_;
  PageVersions versions_;
};

// A point alone costs nothing; the first store to a page costs one copy, later ones nothing.
TEST_F(Pages, AreCopiedAtTheFirstStore) {
  const auto point = versions_.add();
  EXPECT_EQ(versions_.copies(), 0U);
  store(3, 0, std::byte{1});
  store(3, 8, std::byte{2});
  EXPECT_EQ(versions_.copies(), 1U);
  EXPECT_EQ(versions_.kept_for(point), 1U);
}

// Two points before the same store share the copy.
TEST_F(Pages, AreShared) {
  const auto one = versions_.add();
  const auto other = versions_.add();
  store(3, 0, std::byte{1});
  EXPECT_EQ(versions_.copies(), 1U);
  EXPECT_EQ(versions_.kept_for(one), 1U);
  EXPECT_EQ(versions_.kept_for(other), 1U);
}

// Back and forth to one point copies nothing anew, and puts back only what was stored to.
TEST_F(Pages, ComeBackAsOftenAsWanted) {
  const auto point = versions_.add();
  for (int time = 0; time < 5; ++time) {
    store(3, 0, std::byte{1});
    if (time % 2 == 0) store(4, 0, std::byte{1});
    EXPECT_EQ(versions_.changed_since(point).size(), time % 2 == 0 ? 2U : 1U);
    go_to(point);
    EXPECT_EQ(ram_, Memory(ram_.size()));
    EXPECT_LE(versions_.copies(), 2U);
  }
}

// Random stores, points, returns and drops, over a tree of points.
TEST_F(Pages, AreAlwaysThoseOfTheModel) {
  const std::uint64_t seed = pkvmemu::test::random_seed();
  std::mt19937_64 random(seed);
  std::map<PageVersions::Point, Memory> model;
  const auto some_point = [&] {
    return std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
  };
  for (unsigned step = 0; step < 20'000; ++step) {
    const std::uint64_t what = random() % 16;
    if (what < 11) {
      store(static_cast<PageVersions::Page>(random() % page_count), random() % page_size,
            static_cast<std::byte>(random()));
    } else if (what < 13 && model.size() < 8) {
      model.emplace(versions_.add(), ram_);
    } else if (model.empty()) {
      continue;
    } else if (what < 15) {
      const auto point = some_point();
      go_to(point->first);
      ASSERT_TRUE(ram_ == point->second)
          << fmt::format("seed {}, step {}: not what point {} was", seed, step, point->first);
    } else {
      const auto point = some_point();
      versions_.drop(point->first);
      model.erase(point);
    }
  }
  for (const auto& [point, memory] : model) {
    go_to(point);
    ASSERT_TRUE(ram_ == memory) << fmt::format("seed {}: not what point {} was", seed, point);
  }
  for (const auto& [point, memory] : model)
    versions_.drop(point);
  EXPECT_EQ(versions_.copies(), 0U) << "seed " << seed;
}

}  // namespace
}  // namespace pkvmemu::machine
