// SPDX-License-Identifier: GPL-2.0-only
#include "fault/sites.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "support/fixed_text.h"

namespace pkvmemu::fault {
namespace {

using pkvm::fault::Answer;
using pkvm::fault::SiteRecord;
using pkvm::fault::TableHeader;

template <typename Type>
std::optional<Type> read_at(std::span<const std::byte> image, std::uint64_t at) {
  if (at > image.size() || image.size() - at < sizeof(Type)) return std::nullopt;
  Type value;
  std::memcpy(&value, image.data() + at, sizeof(Type));
  return value;
}

bool is_known(Answer answer) {
  return answer == Answer::errno_value || answer == Answer::nothing;
}

/// One level's table; `at` is where its header lies in the whole image.
class Table {
 public:
  Table(std::span<const std::byte> image, std::uint64_t at, const TableHeader& header)
      : image_(image), at_(at), header_(header) {}

  Result<void> add_to(std::vector<Site>& sites) const {
    const bool whole = header_.size % sizeof(SiteRecord) == 0 && header_.offset <= at_ &&
                       header_.size <= image_.size() - at_ - sizeof(TableHeader);
    if (!whole || header_.level < 1 || header_.level > 2)
      return fail(
          "the table of fault sites at {:#x} is damaged: {} bytes for EL{}, at {:#x} of its image",
          at_, header_.size, header_.level, header_.offset);
    for (std::uint64_t record = at_ + sizeof(TableHeader), end = record + header_.size;
         record < end; record += sizeof(SiteRecord))
      if (auto added = add_record(record, sites); !added) return added;
    return {};
  }

 private:
  Result<void> add_record(std::uint64_t at, std::vector<Site>& sites) const {
    const SiteRecord record = *read_at<SiteRecord>(image_, at);
    Site site{.name = fixed_text(record.name),
              .meaning = fixed_text(record.meaning),
              .el = header_.level,
              .answer = record.answer,
              .usual = record.usual};
    const std::uint64_t behind = at + static_cast<std::uint64_t>(record.after);
    const auto word = read_at<std::uint32_t>(image_, behind - sizeof(std::uint32_t));
    constexpr std::uint32_t reg_mask = 31;
    if (site.name.empty() || !is_known(site.answer) || !word ||
        (*word & ~reg_mask) != pkvm::fault::site_instruction)
      return fail("fault site '{}' (record at {:#x}) is damaged: no `mov xN, xzr` before {:#x}",
                  site.name, at, behind);
    const SiteInstruction place{.offset = behind - (at_ - header_.offset), .reg = *word & reg_mask};
    const auto known = std::ranges::find_if(
        sites, [&](const Site& other) { return other.name == site.name && other.el == site.el; });
    if (known != sites.end()) {
      known->places.push_back(place);
      return {};
    }
    site.places.push_back(place);
    sites.push_back(std::move(site));
    return {};
  }

  std::span<const std::byte> image_;
  std::uint64_t at_;
  TableHeader header_;
};

}  // namespace

Result<std::vector<Site>> find_sites(std::span<const std::byte> image) {
  std::vector<Site> sites;
  for (std::uint64_t at = 0; at + sizeof(TableHeader) <= image.size(); at += alignof(TableHeader)) {
    const TableHeader header = *read_at<TableHeader>(image, at);
    if (header.magic != pkvm::fault::table_magic) continue;
    if (auto added = Table(image, at, header).add_to(sites); !added)
      return std::unexpected(added.error());
  }
  std::ranges::sort(sites, {}, &Site::name);
  return sites;
}

const Site* find_site(std::span<const Site> sites, std::string_view name) {
  const auto found = std::ranges::find(sites, name, &Site::name);
  return found == sites.end() ? nullptr : &*found;
}

}  // namespace pkvmemu::fault
