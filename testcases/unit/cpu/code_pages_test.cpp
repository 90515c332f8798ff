// SPDX-License-Identifier: GPL-2.0-only
// Code that is written by one address and run at another: after an IC it runs as written.
#include "cpu/code_pages.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include "cpu/engine.h"
#include "cpu_fixture.h"

namespace pkvmemu::cpu {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t ram_base = 0x4000'0000;
constexpr std::uint64_t ram_size = 0x10'0000;
/// A second address of RAM, by the translation tables below.
constexpr std::uint64_t alias_base = 0x8000'0000;
constexpr std::uint64_t code = ram_base;
constexpr std::uint64_t tables = ram_base + 0x8'0000;
constexpr std::uint64_t functions = 0x4'0000;  // from the start of RAM
constexpr std::uint64_t second_function = functions + 0x100;

constexpr std::array<std::byte, page_size> zeros{};

constexpr std::uint32_t blr_x10 = 0xd63f'0140;
constexpr std::uint32_t blr_x11 = 0xd63f'0160;
constexpr std::uint32_t ret = 0xd65f'03c0;
constexpr std::uint32_t ic_iallu = 0xd508'751f;
constexpr std::uint32_t dsb_ish = 0xd503'3b9f;

/// How the RAM that a CPU is given is mapped: of shared memory it can make itself another mapping,
/// of private memory it cannot.
class RewrittenCode : public testing::TestWithParam<int> {
 protected:
  RewrittenCode() {
    memory_ = ::mmap(nullptr, ram_size, PROT_READ | PROT_WRITE, GetParam() | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory_, MAP_FAILED);
    cpu_ = *Cpu::create(board_);
    board_.cpu = cpu_.get();
    EXPECT_TRUE(cpu_->map_ram(Pa{ram_base}, {static_cast<std::byte*>(memory_), ram_size}));
    map_twice();
    cpu_->set_pc(code);
    cpu_->set_x(10, alias_base + functions);
    cpu_->set_x(11, alias_base + second_function);
    cpu_->set_x(12, ram_base + functions);
    cpu_->set_x(13, ram_base + second_function);
  }
  ~RewrittenCode() override {
    cpu_.reset();
    ::munmap(memory_, ram_size);
  }
  RewrittenCode(const RewrittenCode&) = delete;
  RewrittenCode& operator=(const RewrittenCode&) = delete;

  void put(std::uint64_t address, const std::vector<std::uint32_t>& words) {
    std::memcpy(static_cast<std::byte*>(memory_) + (address - ram_base), words.data(),
                words.size() * sizeof(std::uint32_t));
  }
  void put_function(std::uint64_t offset, unsigned result, unsigned reg) {
    put(ram_base + offset, {a64::movz(reg, result), ret});
  }

  /// EL2's stage 1, 39 bits, from blocks of 1 GiB: RAM at its own address and at alias_base.
  void map_twice() {
    constexpr std::uint64_t block = ram_base | bit(10) | std::uint64_t{3} << 8 | bit(6) | 1;
    std::memcpy(static_cast<std::byte*>(memory_) + (tables - ram_base) + 8, &block, 8);
    std::memcpy(static_cast<std::byte*>(memory_) + (tables - ram_base) + 16, &block, 8);
    Engine& engine = cpu_->engine();
    engine.set(reg::mair_el2, 0xff);
    engine.set(reg::ttbr0_el2, tables);
    engine.set(reg::tcr_el2, bit(31) | bit(23) | std::uint64_t{2} << 16 | 25);
    engine.set(reg::sctlr_el2, 0x30c5'0830 | 1);
  }

  RecordingBoard board_;
  void* memory_ = nullptr;
  std::unique_ptr<Cpu> cpu_;
};

INSTANTIATE_TEST_SUITE_P(Cpu, RewrittenCode, testing::Values(MAP_SHARED, MAP_PRIVATE),
                         [](const auto& instance) {
                           return instance.param == MAP_SHARED ? "SharedRam" : "PrivateRam";
                         });

// Two functions of one page run, are rewritten by another address, and run as rewritten after IC.
TEST_P(RewrittenCode, RunsAsWrittenAfterIc) {
  put_function(functions, 1, 0);
  put_function(second_function, 2, 1);
  put(code, {blr_x10, blr_x11, a64::smc(0), a64::str_w(14, 12), a64::str_w(15, 13), dsb_ish,
             ic_iallu, dsb_ish, a64::isb, a64::branch(-9)});
  for (unsigned round = 1; round <= 40; ++round) {
    ASSERT_EQ(cpu_->run(10'000'000).reason, StopReason::board);
    ASSERT_THAT((std::vector{cpu_->x(0), cpu_->x(1)}), ElementsAre(round, round + 1)) << round;
    cpu_->set_x(14, a64::movz(0, round + 1));
    cpu_->set_x(15, a64::movz(1, round + 2));
  }
}

// When the names run out the translations of the page are dropped, and its first name is used
// again.
TEST(CodePages, NamesRunOut) {
  CodePages pages;
  pages.add_ram(Pa{ram_base}, ram_size);
  const Pa page{ram_base};
  for (unsigned name = 0; name < CodePages::most_names; ++name) {
    if (name != 0) {
      EXPECT_EQ(pages.fetched(page, zeros), std::nullopt) << name;
      ASSERT_TRUE(pages.wants_name()) << name;
      pages.name_added();
    }
    EXPECT_EQ(pages.fetched(page, zeros), page + (name * CodePages::stride));
    pages.written(page);
    EXPECT_TRUE(pages.invalidate());
  }
  EXPECT_EQ(pages.fetched(page, zeros), std::nullopt);
  ASSERT_TRUE(pages.wants_name());
  EXPECT_EQ(pages.names(), CodePages::most_names);
  pages.dropped();
  EXPECT_FALSE(pages.wants_name());
  EXPECT_EQ(pages.fetched(page, zeros), page);
}

// A page that was rewritten costs nothing until it is fetched from again, and then takes a name
// that another page asked for before.
TEST(CodePages, ANameIsWantedOnlyByAFetch) {
  CodePages pages;
  pages.add_ram(Pa{ram_base}, ram_size);
  const Pa first{ram_base};
  const Pa second{ram_base + 0x1000};
  for (const Pa page : {first, second}) {
    EXPECT_EQ(pages.fetched(page, zeros), page);
    pages.written(page);
  }
  EXPECT_TRUE(pages.invalidate());
  EXPECT_FALSE(pages.wants_name());
  EXPECT_EQ(pages.fetched(first, zeros), std::nullopt);
  pages.name_added();
  EXPECT_EQ(pages.fetched(first, zeros), first + CodePages::stride);
  EXPECT_EQ(pages.fetched(second, zeros), second + CodePages::stride);
  EXPECT_FALSE(pages.wants_name());
}

// Pages that are only fetched, or only written, keep their names; the TLB is flushed when something
// was written.
TEST(CodePages, OnlyRewrittenCodeGetsAnotherName) {
  CodePages pages;
  pages.add_ram(Pa{ram_base}, ram_size);
  const Pa one{ram_base};
  const Pa other{ram_base + page_size};
  EXPECT_EQ(pages.fetched(one, zeros), one);
  EXPECT_FALSE(pages.invalidate());
  pages.written(other);
  EXPECT_TRUE(pages.invalidate());
  EXPECT_FALSE(pages.wants_name());
  EXPECT_EQ(pages.fetched(other, zeros), other) << "written before it was first fetched";
  EXPECT_FALSE(pages.invalidate());

  pages.written(one);
  EXPECT_TRUE(pages.invalidate());
  EXPECT_EQ(pages.fetched(one, zeros), std::nullopt);
  pages.name_added();
  EXPECT_EQ(pages.fetched(one, zeros), one + CodePages::stride);
  EXPECT_EQ(pages.fetched(other, zeros), other);
}

}  // namespace
}  // namespace pkvmemu::cpu
