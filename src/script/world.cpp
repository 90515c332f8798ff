// SPDX-License-Identifier: GPL-2.0-only
#include "script/world.h"

#include "support/number.h"

namespace pkvmemu::script {
namespace {

constexpr std::string_view ram_word = "ram";
constexpr std::string_view zero_word = "zero";

}  // namespace

Result<Region> parse_region(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::size_t equals = text.find('=');
  if (colon == std::string_view::npos || equals == std::string_view::npos || equals < colon ||
      equals + 1 == text.size())
    return fail("expected BASE:SIZE=ram, BASE:SIZE=zero or BASE:SIZE=FILE.yaml");
  const auto base = number_in(text.substr(0, colon));
  const auto size = number_in(text.substr(colon + 1, equals - colon - 1));
  if (!base) return fail("'{}' is no address", text.substr(0, colon));
  if (!size) return fail("'{}' is no size in bytes", text.substr(colon + 1, equals - colon - 1));
  return Region{.base = Pa{*base}, .size = *size, .what = std::string(text.substr(equals + 1))};
}

bool is_file(const Region& region) {
  return region.what != ram_word && region.what != zero_word;
}

device::RegionScript plain_region(const Region& region) {
  return {.name = region.what,
          .base = region.base,
          .size = region.size,
          .rest = region.what == ram_word ? device::Rest::ram : device::Rest::zero};
}

}  // namespace pkvmemu::script
