// SPDX-License-Identifier: GPL-2.0-only
// The load calls (pkvm-abi.md 3.3), through the numbers that the host uses.
#include <gtest/gtest.h>

#include "hyp/cfi.h"
#include "hyp/ops_table.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Hypercall;

constexpr Pa page = host_page(3);

const pkvm_module_ops* seen_ops = nullptr;
int failing_init(const pkvm_module_ops* ops) {
  seen_ops = ops;
  return -12;
}

class ModuleTest : public testing::Test {
 protected:
  explicit ModuleTest(pkvm::Generation generation = pkvm::Generation::android15_6_6)
      : world(generation) {}
  World world;

  user_pt_regs call(Hypercall name, std::initializer_list<u64> arguments) {
    user_pt_regs regs{};
    regs.regs[0] = pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(world.hyp().generation, name));
    std::size_t i = 1;
    for (const u64 argument : arguments)
      regs.regs[i++] = argument;
    world.hyp().dispatcher.handle(&regs, world.hyp().modules);
    EXPECT_EQ(regs.regs[0], 0U);
    return regs;
  }
  std::int64_t result(Hypercall name, std::initializer_list<u64> arguments) {
    return static_cast<std::int64_t>(call(name, arguments).regs[1]);
  }
  u64 alloc(u64 pages) { return call(Hypercall::pkvm_alloc_module_va, {pages}).regs[1]; }
};

// Modules follow each other from the measured address on.
TEST_F(ModuleTest, AddressesFollowEachOther) {
  EXPECT_EQ(alloc(3), 0x4000'0840'0000U);
  EXPECT_EQ(alloc(1), 0x4000'0840'3000U);
  EXPECT_EQ(alloc(~u64{0}), 0U) << "no such room";
}

// A mapped module page is donated, has its RW alias, and the section's permission at its address.
TEST_F(ModuleTest, PagesAreDonatedAndMapped) {
  const u64 va = alloc(1);
  ASSERT_EQ(result(Hypercall::pkvm_map_module_page, {frame(page), va, prot_rx.value}), 0);
  const Descriptor d = world.space().table().leaf(va).descriptor;
  EXPECT_EQ(address_of(d), page);
  EXPECT_EQ(hyp_permission(d), prot_rx);
  EXPECT_EQ(hyp_permission(world.space().linear_leaf(page).descriptor), prot_rw);
  EXPECT_FALSE(is_valid(world.host().leaf(page).descriptor));
  EXPECT_EQ(result(Hypercall::pkvm_map_module_page, {frame(page), va, prot_rx.value}), -1)
      << "a second time";
}

// A refused protection gives the page back.
TEST_F(ModuleTest, RefusedMappingReturnsThePage) {
  const u64 va = alloc(1);
  EXPECT_EQ(result(Hypercall::pkvm_map_module_page, {frame(page), va, prot_rwx.value}), -22);
  EXPECT_TRUE(is_valid(world.host().leaf(page).descriptor));
  EXPECT_EQ(world.page(page).host_state, PageState::owned);
}

// MMIO and no-map memory are no module pages.
TEST_F(ModuleTest, OnlyMemoryIsAccepted) {
  const u64 va = alloc(1);
  EXPECT_EQ(result(Hypercall::pkvm_map_module_page, {frame(uart), va, prot_ro.value}), -1);
  EXPECT_EQ(result(Hypercall::pkvm_map_module_page, {frame(no_map_begin), va, prot_ro.value}), -1);
}

// Unmapping gives the page back and leaves x1 alone.
TEST_F(ModuleTest, UnmappingReturnsThePage) {
  const u64 va = alloc(1);
  ASSERT_EQ(result(Hypercall::pkvm_map_module_page, {frame(page), va, prot_rx.value}), 0);
  EXPECT_EQ(call(Hypercall::pkvm_unmap_module_page, {frame(page), va}).regs[1], frame(page));
  EXPECT_FALSE(world.space().is_mapped(HypVa{va}));
  EXPECT_TRUE(is_valid(world.host().leaf(page).descriptor));
}

// Unmapping where nothing is mapped, or what is not the hypervisor's, is fatal: the defect of
// released kernels runs into this.
TEST_F(ModuleTest, WrongUnmapIsFatal) {
  const u64 va = alloc(1);
  ASSERT_EQ(result(Hypercall::pkvm_map_module_page, {frame(page), va, prot_rx.value}), 0);
  EXPECT_DEATH(call(Hypercall::pkvm_unmap_module_page, {frame(page), va + page_size}), "BUG");
  EXPECT_DEATH(call(Hypercall::pkvm_unmap_module_page, {frame(host_page(9)), va}), "BUG");
}

// Init gets the generation's table and its int comes back sign-extended; nothing is undone.
TEST_F(ModuleTest, InitResultIsSignExtended) {
  const u64 va = alloc(1);
  EXPECT_EQ(result(Hypercall::pkvm_init_module, {reinterpret_cast<std::uint64_t>(&failing_init)}),
            -12);
  EXPECT_EQ(seen_ops, module_ops(world.hyp().generation, CfiFlavour::plain));
  EXPECT_EQ(alloc(1), va + page_size);
}

// The built-in null driver is accepted, with or without pages for atomic use.
TEST_F(ModuleTest, NullIommuDriver) {
  const auto ops = reinterpret_cast<std::uint64_t>(&hyp_null_iommu_ops_6_6);
  EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {ops, 0, 0, 0}), 0);
  auto* first = world.hyp().linear.pointer<std::uint64_t>(page);
  *first = (page + (4 * page_size)).value | 1;  // the next block: two pages
  EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {ops, page.value, 2, 0}), 0);
  EXPECT_EQ(world.hyp().iommu_pools->atomic_pages(), 3U);
  EXPECT_FALSE(is_valid(world.host().leaf(page + (5 * page_size)).descriptor));
}

// Pages that are not the host's own are refused with the donation's error.
TEST_F(ModuleTest, IommuPagesMustBeTheHosts) {
  const auto ops = reinterpret_cast<std::uint64_t>(&hyp_null_iommu_ops_6_6);
  EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {ops, pool_begin.value, 1, 0}), -1);
  EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {ops, uart.value, 1, 0}), -1);
}

// A driver without its operations is a WARN, fatal at EL2.
TEST_F(ModuleTest, IncompleteIommuDriverIsFatal) {
  kvm_iommu_ops_6_6 ops = hyp_null_iommu_ops_6_6;
  ops.attach_dev = nullptr;
  EXPECT_DEATH(call(Hypercall::pkvm_iommu_init, {reinterpret_cast<std::uint64_t>(&ops), 0, 0, 0}),
               "BUG");
}

class Calls6_1 : public ModuleTest {
 protected:
  Calls6_1() : ModuleTest(pkvm::Generation::android14_6_1) {}
};
class Calls6_12 : public ModuleTest {
 protected:
  Calls6_12() : ModuleTest(pkvm::Generation::android16_6_12) {}
};

// 6.1 aligns private addresses to the order of their size, behind stack and fixmap, up to 1 GiB.
TEST_F(Calls6_1, AddressesAreAlignedAndEndAfterOneGibibyte) {
  EXPECT_EQ(alloc(1), 0x4000'0000'3000U);
  EXPECT_EQ(alloc(3), 0x4000'0000'4000U);
  EXPECT_EQ(alloc(2), 0x4000'0000'8000U) << "3 pages are not rounded up";
  EXPECT_EQ(alloc(0x2'0000), 0x4000'2000'0000U) << "half of it";
  EXPECT_EQ(alloc(0x2'0000), 0U);
}

// 6.1: the end of IOMMU registration is told once; there is no iommu_init.
TEST_F(Calls6_1, IommuIsFinalisedOnce) {
  EXPECT_EQ(result(Hypercall::pkvm_iommu_finalize, {0}), 0);
  EXPECT_EQ(result(Hypercall::pkvm_iommu_finalize, {0}), -1);
  EXPECT_FALSE(pkvm::hypercall_number(world.hyp().generation, Hypercall::pkvm_iommu_init));
}

// 6.12: init is found by the descriptor at a kernel address, here one that converts to itself.
TEST_F(Calls6_12, InitIsFoundByTheDescriptor) {
  std::array<u64, 25> descriptor{};
  constexpr u64 sections_start = 0xFFFF'FFC0'0000'1000;
  constexpr u64 hyp_va = 0x10'0000;
  descriptor[96 / 8] = sections_start;
  descriptor[112 / 8] = hyp_va;
  descriptor[192 / 8] = reinterpret_cast<u64>(&failing_init) - hyp_va + sections_start;
  EXPECT_EQ(result(Hypercall::pkvm_init_module, {reinterpret_cast<u64>(descriptor.data())}), -12);
  EXPECT_EQ(seen_ops, module_ops(pkvm::Generation::android16_6_12, CfiFlavour::plain));
}

// 6.12's null driver has its operations in another order; a driver without one is -ENODEV there.
TEST_F(Calls6_12, IommuDriverIsCheckedAndCalled) {
  EXPECT_EQ(
      result(Hypercall::pkvm_iommu_init, {reinterpret_cast<u64>(&hyp_null_iommu_ops_6_12), 0, 0}),
      0);
  kvm_iommu_ops_6_12 ops = hyp_null_iommu_ops_6_12;
  ops.detach_dev = nullptr;
  EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {reinterpret_cast<u64>(&ops), 0, 0}), -19);
  ops = hyp_null_iommu_ops_6_12;
  ops.init = [] { return -5; };
  EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {reinterpret_cast<u64>(&ops), 0, 0}), -5);
  EXPECT_EQ(result(Hypercall::pkvm_devices_init, {}), 0);
}

// A module's flavour decides how its later callbacks are checked; other addresses are not checked.
TEST_F(ModuleTest, FlavourBelongsToAModule) {
  const HypVa va{alloc(2)};
  ModuleSlots& modules = world.hyp().modules;
  modules.set_flavour(va + 16, CfiFlavour::plain);
  EXPECT_EQ(modules.flavour_of(va + page_size), CfiFlavour::plain);
  EXPECT_EQ(modules.flavour_of(va + (2 * page_size)), CfiFlavour::none);
  ASSERT_EQ(modules.register_handler(va + 32).value(), 128U);
  EXPECT_EQ(modules.handler(0)->hash, handler_cfi_type.hash(CfiFlavour::plain));
  ASSERT_EQ(modules.register_handler(va + (2 * page_size)).value(), 129U);
  EXPECT_EQ(modules.handler(1)->hash, 0U);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
