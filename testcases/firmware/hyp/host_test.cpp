// SPDX-License-Identifier: GPL-2.0-only
// What the host runs into once it is deprivileged: lazy mapping and injected aborts (pkvm-abi.md
// 7.7), and SMC (8.3).
#include <gtest/gtest.h>

#include "hyp/host_abort.h"
#include "hyp/panic.h"
#include "hyp/smc.h"
#include "hyp/trap.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using arch::Sysreg;

constexpr Pa page = host_page(3);
constexpr std::uint64_t host_pc = 0xFFFF'FFC0'8001'0000;
constexpr std::uint64_t host_far = 0xFFFF'FF80'0000'3008;
constexpr std::uint64_t vbar = 0xFFFF'FFC0'8000'0800;
constexpr std::uint64_t spsr_el1h = 0x5;
constexpr std::uint64_t data_abort = std::uint64_t{0x24} << 26 | std::uint64_t{1} << 25;
constexpr std::uint64_t translation_level_3 = 0x07;
constexpr std::uint64_t permission_level_3 = 0x0F;

class HostTest : public testing::Test {
 protected:
  World world;
  user_pt_regs regs{};

  void fault_at(Pa pa, std::uint64_t status = translation_level_3) {
    arch::write<Sysreg::esr_el2>(data_abort | status);
    arch::write<Sysreg::far_el2>(host_far);
    arch::write<Sysreg::hpfar_el2>((pa.value >> 12) << 4);
    arch::write<Sysreg::elr_el2>(host_pc);
    arch::write<Sysreg::spsr_el2>(spsr_el1h);
    arch::write<Sysreg::vbar_el1>(vbar);
    hyp_handle_trap(&regs);
  }
  static bool was_injected() { return arch::read<Sysreg::elr_el2>() != host_pc; }
  bool host_reaches(Pa pa) const { return is_valid(world.host().leaf(pa).descriptor); }
};

// RAM is mapped from the start, by blocks; MMIO is not.
TEST_F(HostTest, MemoryIsMappedEagerly) {
  EXPECT_EQ(world.host().leaf(ram_begin).level, 2U);
  EXPECT_EQ(attributes_of(world.host().leaf(page).descriptor),
            stage2_attributes(prot_rwx, PageState::owned));
  EXPECT_FALSE(host_reaches(uart));
}

// The first access to MMIO maps the largest block of its hole, as a device without execution.
TEST_F(HostTest, MmioIsMappedOnDemand) {
  fault_at(uart);
  EXPECT_FALSE(was_injected());
  const Leaf leaf = world.host().leaf(uart);
  EXPECT_EQ(leaf.level, 1U) << "[0, 1 GiB) is one hole";
  EXPECT_EQ(attributes_of(leaf.descriptor), stage2_attributes(prot_device, PageState::owned));
}

// A block does not swallow a page of the hole that somebody else owns.
TEST_F(HostTest, OnDemandBlocksStopAtAnnotations) {
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(uart), 1, Accept::memory_or_mmio, prot_rw));
  fault_at(uart + page_size);
  EXPECT_FALSE(was_injected());
  EXPECT_TRUE(host_reaches(uart + page_size));
  EXPECT_FALSE(host_reaches(uart));
  fault_at(uart);
  EXPECT_TRUE(was_injected());
}

// A fault on a page that is mapped by now (another CPU was faster) is simply retried.
TEST_F(HostTest, SpuriousFaultsAreRetried) {
  fault_at(page);
  EXPECT_FALSE(was_injected());
}

// A page that the host gave away: an abort at EL1 as the architecture would take it, marked S1PTW.
TEST_F(HostTest, DonatedPagesAbort) {
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw));
  fault_at(page);
  EXPECT_EQ(arch::read<Sysreg::esr_el1>(),
            (std::uint64_t{0x25} << 26) | (1U << 25) | (1U << 7) | translation_level_3);
  EXPECT_EQ(arch::read<Sysreg::far_el1>(), host_far);
  EXPECT_EQ(arch::read<Sysreg::elr_el1>(), host_pc);
  EXPECT_EQ(arch::read<Sysreg::spsr_el1>(), spsr_el1h);
  EXPECT_EQ(arch::read<Sysreg::elr_el2>(), vbar + 0x200);
  EXPECT_EQ(arch::read<Sysreg::spsr_el2>(), 0x3C5U);
}

// Each mode of the host has its own vector, and EL0's aborts stay lower-EL aborts.
TEST_F(HostTest, AbortsGoToTheVectorOfTheMode) {
  struct Row {
    std::uint64_t spsr;
    std::uint64_t offset;
    std::uint64_t exception;
  };
  for (const Row& row : {Row{0x4, 0x000, 0x25}, Row{0x5, 0x200, 0x25}, Row{0x0, 0x400, 0x24},
                         Row{0x10, 0x600, 0x24}}) {
    arch::write<Sysreg::spsr_el2>(row.spsr);
    arch::write<Sysreg::vbar_el1>(vbar);
    inject_abort(data_abort | translation_level_3);
    EXPECT_EQ(arch::read<Sysreg::elr_el2>(), vbar + row.offset) << row.spsr;
    EXPECT_EQ(arch::read<Sysreg::esr_el1>() >> 26, row.exception) << row.spsr;
  }
}

// Permission faults: the address is translated again, since HPFAR does not hold it; with no
// handler registered they abort, and when the translation is gone the access is retried.
TEST_F(HostTest, PermissionFaults) {
  arch::fake::state().par = page.value;
  fault_at(Pa{0}, permission_level_3);
  EXPECT_TRUE(was_injected());
  arch::fake::state().par = 1;
  fault_at(Pa{0}, permission_level_3);
  EXPECT_FALSE(was_injected());
}

// Addresses beyond the IPA space are nobody's.
TEST_F(HostTest, AbsurdAddressesAbort) {
  fault_at(Pa{std::uint64_t{1} << 51});
  EXPECT_TRUE(was_injected());
}

// Out of table pages the MMIO mappings are recycled; notes of who owns what survive that.
TEST_F(HostTest, TablePagesAreRecycled) {
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(uart), 1, Accept::memory_or_mmio, prot_rw));
  const Pa first{0x80'0000'1000};  // 512 GiB and 1 TiB: a table each
  const Pa second{0x100'0000'1000};
  fault_at(first);
  ASSERT_TRUE(host_reaches(first));
  while (world.pool().free_pages() > 0)
    ASSERT_TRUE(world.pool().take_page());
  fault_at(second);
  EXPECT_FALSE(was_injected());
  EXPECT_TRUE(host_reaches(second));
  EXPECT_FALSE(host_reaches(first)) << "until its next access";
  EXPECT_EQ(world.host().leaf(uart).descriptor,
            owner_annotation(owner_id(pkvm::Generation::android15_6_6, Owner::hyp)));
  EXPECT_TRUE(host_reaches(page));
}

// An exception class that nobody knows is fatal.
TEST_F(HostTest, UnknownTrapsAreFatal) {
  arch::write<Sysreg::esr_el2>(std::uint64_t{0x18} << 26);
  EXPECT_DEATH(hyp_handle_trap(&regs), "BUG");
}

/// EL3 that echoes: x0 = 0x1000 + the function's low byte, x1..x17 all 7.
void echo_monitor(arch::SmcRegisters& x) {
  x[0] = 0x1000 + (x[0] & 0xFF);
  std::fill(x.begin() + 1, x.end(), 7);
}

class SmcTest : public HostTest {
 protected:
  SmcTest() { arch::fake::state().monitor = echo_monitor; }

  std::uint64_t smc(std::uint64_t id) {
    for (u64& x : regs.regs)
      x = 0x55;
    regs.regs[0] = id;
    arch::write<Sysreg::elr_el2>(host_pc);
    arch::write<Sysreg::esr_el2>(std::uint64_t{0x17} << 26);
    arch::fake::state().smc_count = 0;
    hyp_handle_trap(&regs);
    EXPECT_EQ(arch::read<Sysreg::elr_el2>(), host_pc + 4) << std::hex << id;
    return regs.regs[0];
  }
  static bool reached_el3() { return arch::fake::state().smc_count != 0; }
};

// PSCI calls of the table reach EL3; x1..x3 come back as 0.
TEST_F(SmcTest, PsciIsRelayed) {
  for (const std::uint64_t id : {0x8400'0000U, 0x8400'0002U, 0xC400'0004U, 0x8400'0006U,
                                 0x8400'0008U, 0x8400'0009U, 0x8400'000AU}) {
    EXPECT_EQ(smc(id), 0x1000 + (id & 0xFF)) << std::hex << id;
    EXPECT_TRUE(reached_el3());
    EXPECT_EQ(regs.regs[1], 0U);
    EXPECT_EQ(regs.regs[3], 0U);
    EXPECT_EQ(regs.regs[4], 0x55U);
  }
}

// 32-bit forms of calls that have a 64-bit one, and unknown numbers of the range, are refused here.
TEST_F(SmcTest, OtherPsciNumbersAreRefused) {
  for (const std::uint64_t id : {0x8400'0001U, 0x8400'0003U, 0x8400'0004U, 0x8400'0005U,
                                 0x8400'001FU, 0xC400'0000U, 0xC400'001FU}) {
    EXPECT_EQ(smc(id), ~std::uint64_t{0}) << std::hex << id;
    EXPECT_FALSE(reached_el3()) << std::hex << id;
    EXPECT_EQ(regs.regs[1], 0U);
  }
}

// CPU_ON: the one CPU is on already, others do not exist.
TEST_F(SmcTest, CpuOnKnowsOneCpu) {
  arch::write<Sysreg::mpidr_el1>(0x8000'0055);
  EXPECT_EQ(static_cast<std::int64_t>(smc(0xC400'0003)), -4) << "x1 is 0x55";
  arch::write<Sysreg::mpidr_el1>(0x8000'0000);
  EXPECT_EQ(static_cast<std::int64_t>(smc(0xC400'0003)), -2);
}

// Everything else goes to EL3 with x0..x17, and only these come back.
TEST_F(SmcTest, OthersAreForwardedWhole) {
  EXPECT_EQ(smc(0xC200'0042), 0x1042U);
  EXPECT_TRUE(reached_el3());
  EXPECT_EQ(arch::fake::state().last_smc[17], 0x55U);
  EXPECT_EQ(regs.regs[17], 7U);
  EXPECT_EQ(regs.regs[18], 0x55U);
}

// Hyp panic: the registers of the exception reach the host's handler in x0..x7.
TEST_F(HostTest, PanicTellsTheHost) {
  const Pa code = pool_begin;
  const std::uint64_t elr = world.space().linear().hyp_va(code).value + 0x24;
  arch::write<Sysreg::esr_el2>(0xF200'0800);
  arch::write<Sysreg::spsr_el2>(0x3C9);
  arch::write<Sysreg::elr_el2>(elr);
  arch::write<Sysreg::far_el2>(0xdead'000);
  arch::write<Sysreg::hpfar_el2>(0x90);
  arch::write<Sysreg::par_el1>(0x1);
  hyp_boot_info.panic_handler = host_pc;
  const PanicExit& exit = *hyp_panic(PANIC_FROM_EL2, 0x1000);
  EXPECT_EQ(exit.x, (std::array<std::uint64_t, 8>{0xF200'0800, 0x3C9, elr, code.value + 0x24, 0x1,
                                                  0, 0xdead'000, 0x90}));
  EXPECT_EQ(exit.handler, host_pc);
  EXPECT_EQ(exit.host, &hyp_per_cpu[0].host);
  EXPECT_EQ(hyp_panic(PANIC_FROM_HOST, 0x1000)->host, nullptr);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
