// SPDX-License-Identifier: GPL-2.0-only
// Random numbers, which are the same in every run, and what inlines call when a counter went wrong
// or when something may be said too often.
#include <cstddef>
#include <cstdint>

#include "host/console.h"
#include "host/time.h"
#include "lib/memory.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;

namespace {

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t next_random() {
  static constinit std::uint64_t state = 0x70'6b76'6d2d'656d;
  state += 0x9e37'79b9'7f4a'7c15;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11eb;
  return mixed ^ (mixed >> 31);
}

/// struct ratelimit_state.
struct RateLimit {
  std::uint32_t lock;
  std::int32_t interval;  ///< jiffies; 0: no limit
  std::int32_t burst;
  std::int32_t printed;
  std::int32_t missed;
  std::uint32_t flags;
  std::uint64_t begin;
};
static_assert(offsetof(RateLimit, begin) == 24);

/// What refcount_t stays at once it went wrong.
constexpr std::uint32_t saturated = 0xc000'0000;

const char* name_of_mishap(unsigned kind) {
  switch (kind) {
    case 0:
    case 1:
      return "saturated; leaking memory";
    case 2:
      return "addition on 0; use-after-free";
    case 3:
      return "underflow; use-after-free";
    case 4:
      return "decrement hit 0; leaking memory";
    default:
      return "unknown saturation event";
  }
}

}  // namespace

extern "C" {

void export_get_random_bytes(std::uint8_t* to, std::size_t size) {
  for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
    const std::uint64_t value = next_random();
    const std::size_t rest = size - i;
    fw::copy_bytes(to + i, &value, rest < sizeof(value) ? rest : sizeof(value));
  }
}
std::uint64_t export_get_random_u64() {
  return next_random();
}
std::uint32_t export_get_random_u32() {
  return static_cast<std::uint32_t>(next_random());
}
std::uint16_t export_get_random_u16() {
  return static_cast<std::uint16_t>(next_random());
}
std::uint8_t export_get_random_u8() {
  return static_cast<std::uint8_t>(next_random());
}

void export_refcount_warn_saturate(std::uint32_t* count, unsigned kind) {
  *count = saturated;
  host::printk("WARNING: refcount_t: %s, at %pS\n", name_of_mishap(kind),
               __builtin_return_address(0));
}

/// Whether it may be said: `burst` times in each interval. A beginning of 0 means none.
int export_ratelimit(RateLimit* limit, const char* function) {
  if (limit->interval == 0) return 1;
  const std::uint64_t now = host::slept_ns() / host::ns_per_jiffy;
  const bool is_over = now > limit->begin + static_cast<std::uint64_t>(limit->interval);
  if (limit->begin == 0 || is_over) {
    if (limit->missed != 0) host::printk("%s: %d callbacks suppressed\n", function, limit->missed);
    limit->begin = now == 0 ? 1 : now;
    limit->printed = 0;
    limit->missed = 0;
  }
  if (limit->printed < limit->burst) {
    ++limit->printed;
    return 1;
  }
  ++limit->missed;
  return 0;
}
}
