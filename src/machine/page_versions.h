// SPDX-License-Identifier: GPL-2.0-only
// RAM as it was at several points in time, by copies of only those pages that were stored to since.
//
// A point copies nothing when it is made. The first store to a page after that keeps what the page
// held, for all points at once that have not got it yet. So for each point a page is either kept,
// or RAM holds it still; and a way back to any point, along whatever tree of runs, is to put back
// the kept pages that RAM does not hold. Points share their copies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "support/address.h"

namespace pkvmemu::machine {

class PageVersions {
 public:
  /// Numbers of points ascend and are not used again.
  using Point = std::uint64_t;
  /// Number of a page within RAM.
  using Page = std::uint32_t;

  /// `ram` starts and ends on a page boundary and outlives this.
  explicit PageVersions(std::span<std::byte> ram);

  /// Now. From here on every first store has to be announced.
  Point add();
  /// The point is not needed any more.
  void drop(Point point);
  [[nodiscard]] bool contains(Point point) const { return points_.contains(point); }

  /// Before a store to the page; again and again is fine.
  void about_to_store(Page page);

  /// The pages in which RAM may differ from the point, to be handed to put_back().
  [[nodiscard]] std::vector<Page> changed_since(Point point) const;
  /// RAM is as it was at the point.
  void put_back(Point point, std::span<const Page> pages);

  /// Pages that are kept for the point, shared ones included.
  [[nodiscard]] std::size_t kept_for(Point point) const { return points_.at(point).size(); }
  /// Copies that exist.
  [[nodiscard]] std::size_t copies() const { return copies_.size() - free_.size(); }

 private:
  /// Number of a copy, 0 for none.
  using Version = std::uint32_t;
  struct PageState {
    Version version = 0;        ///< the copy that RAM is equal to
    std::uint32_t kept_at = 0;  ///< points up to this one have the page
  };
  struct Copy {
    std::unique_ptr<std::array<std::byte, page_size>> bytes;
    std::uint32_t uses = 0;
  };

  [[nodiscard]] std::span<std::byte> bytes_of(Page page) const;
  /// For all points that lack the page; afterwards it may be changed.
  void keep(Page page);
  [[nodiscard]] Version new_copy(std::span<const std::byte> bytes);
  void use(Version version) { ++copies_[version - 1].uses; }
  void release(Version version);

  std::span<std::byte> ram_;
  std::vector<PageState> pages_;
  std::map<Point, std::unordered_map<Page, Version>> points_;
  std::vector<Copy> copies_;
  std::vector<Version> free_;
  Point latest_ = 0;           ///< that was ever added
  Point here_ = 0;             ///< the point that RAM was at last
  std::vector<Page> touched_;  ///< since RAM was there
};

}  // namespace pkvmemu::machine
