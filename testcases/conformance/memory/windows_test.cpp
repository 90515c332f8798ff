// SPDX-License-Identifier: GPL-2.0-only
// Mappings at EL2 that modules make (pkvm-abi.md 1.1, 1.6, 7.1): private, of module pages, early
// linear ones, and the windows for one page and for 2 MiB.
#include "conformance/memory/memory_test.h"

namespace pkvmemu::test {
namespace {

constexpr std::uint64_t page = free_frame;
constexpr std::uint64_t address = address_of(page);
constexpr std::uint64_t page_bytes = 0x1000;
constexpr std::uint64_t untouched = 0xdead;
constexpr std::uint64_t protected_page = 1;

/// Protections that no mapping at EL2 may have (1.1).
constexpr std::array refused = {
    prot::w,
    prot::x,
    prot::rw | prot::pxn,
    prot::rw | prot::uxn,
    prot::rw | prot::device | prot::nc,
    prot::rwx,
    prot::rx | prot::device,
};

class Windows : public MemoryTest {};
PKVMEMU_EACH_GENERATION(Windows);

// A private mapping of any part of memory, found at its address with the offset in the page.
TEST_P(Windows, PrivateMappingsShowMemory) {
  holds("1.6/create_private_mapping");
  Script s = script();
  s.expect_done(write_of(address + 0x18, 0x1234));
  const auto one = s.expect(MEMORY_PRIVATE, {address + 0x18, 8, prot::rw, untouched}, 0);
  const auto two = s.expect(MEMORY_PRIVATE, {address + 0xff8, 16, prot::r, untouched}, 0);
  const auto next = s.expect(MEMORY_PRIVATE, {address, 1, prot::r, untouched}, 0);
  s.run();
  EXPECT_EQ(s.result(one, 2) % page_bytes, 0x18U);
  EXPECT_EQ(s.result(two, 2) % page_bytes, 0xff8U);
  EXPECT_GE(s.result(next, 2), s.result(two, 2) - 0xff8 + (2 * page_bytes)) << "two pages";
  // The addresses are a function of the module's layout, so a second run can use them.
  Script again = script();
  again.expect_done(write_of(address + 0x18, 0x1234));
  again.expect(MEMORY_PRIVATE, {address + 0x18, 8, prot::rw, untouched}, 0);
  again.expect(MEMORY_PEEK, {s.result(one, 2)}, 0x1234);
  again.expect(MEMORY_POKE, {s.result(one, 2), 0x5678}, 0);
  again.expect_read(address + 0x18, 0x5678);
  again.run();
}

// Each protection that the rules refuse is -EINVAL, the caller's variable stays as it was, and the
// addresses are gone all the same.
TEST_P(Windows, PrivateMappingsRefuseProtections) {
  holds("1.1/hyp_protections");
  holds("1.6/create_private_mapping.einval");
  holds("1.6/create_private_mapping.addresses_are_lost");
  Script s = script();
  const auto first = s.ask(MEMORY_TAKE_VA, {1});
  std::vector<std::size_t> calls;
  for (const std::uint64_t wrong : refused)
    calls.push_back(s.expect(MEMORY_PRIVATE, {address, 1, wrong, untouched}, einval));
  const auto last = s.ask(MEMORY_TAKE_VA, {1});
  // Executable non-cacheable memory is refused from 6.12 on.
  s.expect(MEMORY_PRIVATE, {address, 1, prot::rx | prot::nc, untouched},
           of(std::int64_t{0}, std::int64_t{0}, einval));
  s.run();
  for (const std::size_t call : calls)
    EXPECT_EQ(s.result(call, 2), untouched);
  EXPECT_EQ(s.result(last, 1) - s.result(first, 1), (refused.size() + 1) * page_bytes);
}

// More than the private range holds is -ENOMEM; in 6.1 that is 1 GiB.
TEST_P(Windows, PrivateMappingsAreLimited) {
  holds("1.6/create_private_mapping.enomem");
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  Script s = script();
  const auto call = s.expect(MEMORY_PRIVATE, {address, 64 * gib, prot::rw, untouched}, enomem);
  s.expect(MEMORY_PRIVATE, {address, ~std::uint64_t{0} - page_bytes, prot::rw, untouched}, enomem);
  if (is(g6_1)) s.expect(MEMORY_PRIVATE, {address, gib, prot::rw, untouched}, enomem);
  s.run();
  EXPECT_EQ(s.result(call, 2), untouched);
}

// Addresses for modules: aligned to the order of their size in 6.1, one after the other later; none
// when there is no room.
TEST_P(Windows, ModuleAddresses) {
  holds("1.6/alloc_module_va");
  Script s = script();
  const auto one = s.ask(MEMORY_TAKE_VA, {1});
  const auto three = s.ask(MEMORY_TAKE_VA, {3});
  const auto after = s.ask(MEMORY_TAKE_VA, {1});
  s.expect(MEMORY_TAKE_VA, {std::uint64_t{1} << 40}, 0);
  s.run();
  if (is(g6_1))
    EXPECT_EQ(s.result(three, 1) % (4 * page_bytes), 0U);
  else
    EXPECT_EQ(s.result(three, 1), s.result(one, 1) + page_bytes);
  EXPECT_EQ(s.result(after, 1), s.result(three, 1) + (3 * page_bytes));
}

/// Where the next module address will be: the same in every run of this generation.
std::uint64_t next_address(const pkvm::GenerationInfo& generation) {
  Script s(generation);
  const auto taken = s.ask(MEMORY_TAKE_VA, {1});
  s.run(Script::On::machine);
  return s.result(taken, 1);
}

// A page for a module is donated, then mapped; where it was donated before, only mapped.
TEST_P(Windows, ModulePages) {
  holds("1.6/map_module_page");
  const std::uint64_t va = next_address(GetParam());
  Script s = script();
  s.expect_done(write_of(address, 0x1234));
  s.expect(MEMORY_TAKE_VA, {1}, static_cast<std::int64_t>(va));
  s.expect(MEMORY_MAP_PAGE, {page, va, prot::rw, 0}, 0);
  s.expect(MEMORY_PEEK, {va}, 0x1234);
  s.expect(MEMORY_WRITE, {page, 0, 0x5678}, 0);
  s.expect(MEMORY_PEEK, {va}, 0x5678);
  s.expect_abort(read_of(address), injected::read(injected::translation | 3));
  s.expect(MEMORY_MAP_PAGE, {page, va, prot::rw, protected_page}, 0);
  s.expect(MEMORY_MAP_PAGE, {page + 1, va, prot::rw, protected_page}, einval);
  s.expect(MEMORY_MAP_PAGE, {page + 1, va + page_bytes, prot::r, protected_page}, 0);
  s.expect_done(write_of(address + page_bytes, 1));
  s.expect(MEMORY_PEEK, {va + page_bytes}, 1);
  s.run();
}

// What fails leaves the page with the host: donation errors as they are, -EINVAL for a protection.
TEST_P(Windows, ModulePageErrors) {
  holds("1.6/map_module_page.errors");
  holds("1.6/map_module_page.donated_back");
  const std::uint64_t va = next_address(GetParam());
  Script s = script();
  s.expect(MEMORY_MAP_PAGE, {mmio_frame, va, prot::rw, 0}, eperm);
  s.expect(MEMORY_SHARE, {page + 1}, 0);
  s.expect(MEMORY_MAP_PAGE, {page + 1, va, prot::rw, 0}, eperm);
  for (const std::uint64_t wrong : refused)
    s.expect(MEMORY_MAP_PAGE, {page, va, wrong, 0}, einval);
  s.expect_done(write_of(address, 1));
  s.expect(MEMORY_SHARE, {page}, 0);
  s.run();
}

// The one-page window: any memory, with its offset; a second map replaces the first.
TEST_P(Windows, Fixmap) {
  holds("1.6/fixmap_map");
  holds("1.6/fixmap_map.overwrites");
  Script find = script();
  const auto slot = find.ask(MEMORY_FIXMAP, {address + 8});
  find.run(Script::On::machine);
  const std::uint64_t va = find.result(slot, 1);
  EXPECT_EQ(va % page_bytes, 8U);

  Script s = script();
  s.expect_done(write_of(address + 8, 0x11));
  s.expect_done(write_of(address + page_bytes + 8, 0x22));
  s.expect(MEMORY_FIXMAP, {address + 8}, static_cast<std::int64_t>(va));
  s.expect(MEMORY_PEEK, {va}, 0x11);
  s.expect(MEMORY_FIXMAP, {address + page_bytes + 8}, static_cast<std::int64_t>(va));
  s.expect(MEMORY_PEEK, {va}, 0x22);
  s.expect(MEMORY_POKE, {va, 0x33}, 0);
  s.expect(MEMORY_FIXMAP_OFF, {}, 0);
  s.expect_read(address + page_bytes + 8, 0x33);
  s.run();

  Script gone = script();
  gone.expect(MEMORY_FIXMAP, {address + 8}, static_cast<std::int64_t>(va));
  gone.expect(MEMORY_FIXMAP_OFF, {}, 0);
  gone.ask(MEMORY_PEEK, {va});
  holds("1.6/fixmap_unmap");
  gone.run_to_panic();
}

class BlockWindow : public MemoryTest {
 protected:
  void SetUp() override {
    if (!is(g6_12)) GTEST_SKIP() << "no fixblock in this generation's table";
  }
};
PKVMEMU_EACH_GENERATION(BlockWindow);

// The window of 2 MiB: the whole block at one aligned address.
TEST_P(BlockWindow, ShowsTwoMebibytes) {
  holds("1.6/fixblock_map");
  holds("1.6/fixblock_unmap");
  Script find = script();
  const auto slot = find.ask(MEMORY_FIXBLOCK, {address});
  find.run(Script::On::machine);
  const std::uint64_t va = find.result(slot, 1);
  EXPECT_EQ(va % 0x20'0000, 0U);

  Script s = script();
  s.expect_done(write_of(address + 0x1f'fff8, 0x44));
  for (int round = 0; round < 2; ++round) {
    s.expect(MEMORY_FIXBLOCK, {address}, static_cast<std::int64_t>(va));
    s.expect(MEMORY_PEEK, {va + 0x1f'fff8}, 0x44);
    s.expect(MEMORY_FIXBLOCK_OFF, {}, 0);
  }
  s.run();
}

// Unmapped it shows nothing; misaligned memory is fatal.
TEST_P(BlockWindow, EndsAndChecks) {
  holds("1.6/fixblock_map.misaligned");
  Script wrong = script();
  wrong.ask(MEMORY_FIXBLOCK, {address + page_bytes});
  wrong.run_to_panic();
}

class EarlyMaps : public MemoryTest {};
PKVMEMU_EACH_GENERATION(EarlyMaps);

// Host memory at its linear address, without a change of owner; what is not whole pages, or cannot
// be mapped, is NULL.
TEST_P(EarlyMaps, ShowHostMemory) {
  holds("1.6/linear_map_early");
  holds("1.6/linear_map_early.null");
  holds("1.6/linear_unmap_early");
  Script find = script();
  const auto linear = find.ask(MEMORY_LINEAR, {page});
  find.run(Script::On::machine);
  const std::uint64_t va = find.result(linear, 1);

  Script s = script();
  s.in(Script::Phase::early);
  s.expect(MEMORY_EARLY_ON, {address + 8, page_bytes, prot::rw}, 0);
  s.expect(MEMORY_EARLY_ON, {address, page_bytes + 8, prot::rw}, 0);
  s.expect(MEMORY_EARLY_ON, {address, page_bytes, prot::rwx}, 0);
  s.expect_done(write_of(address, 0x55));
  s.expect(MEMORY_EARLY_ON, {address, 2 * page_bytes, prot::rw}, static_cast<std::int64_t>(va));
  s.expect(MEMORY_PEEK, {va}, 0x55);
  s.expect(MEMORY_EARLY_OFF, {va, page_bytes}, 0);
  s.expect(MEMORY_EARLY_OFF, {va + page_bytes, page_bytes}, 0);
  s.in(Script::Phase::after);
  s.expect_done(write_of(address, 0x66));
  s.expect(MEMORY_DONATE, {page, 1, 0}, 0);
  s.run();
}

// What is still mapped when the host is deprivileged is fatal.
TEST_P(EarlyMaps, LeftOversAreFatal) {
  holds("1.6/linear_map_early.left_over");
  Script s = script();
  s.in(Script::Phase::early);
  s.ask(MEMORY_EARLY_ON, {address, 2 * page_bytes, prot::rw});
  s.run_to_panic();
}

}  // namespace
}  // namespace pkvmemu::test
