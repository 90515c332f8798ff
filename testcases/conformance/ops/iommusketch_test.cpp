// SPDX-License-Identifier: GPL-2.0-only
// The sample iommusketch, an IOMMU driver as phones have them (pkvm-abi.md 3.7, 6.3, 7.6, 7.7,
// 7.9), and its bad twins.
#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "iommusketch/numbers.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;

constexpr std::uint64_t page = 0x5000'0000;
constexpr std::uint64_t firmware = 0x7e00'0000;
/// Where the sample's registers are in android14 when there is no device.
constexpr std::uint64_t registers = 0x0c10'0000;
constexpr std::int64_t enoent = -2;

/// What each is called with; the runs start with no step made.
class SketchRun : public OpsRun {
 protected:
  static bool is_6_1() { return is(Generation::android14_6_1); }
  static bool is_6_12() { return is(Generation::android16_6_12); }

  std::size_t blocked(std::uint64_t pa) {
    return call("iommusketch_hvc", {SKETCH_ASK_BLOCKED, pa});
  }
  std::size_t counts() { return call("iommusketch_hvc", {SKETCH_ASK_COUNTS}); }
  /// Of the sample `pages`.
  std::size_t donate() { return call("pages_hvc", {4, page >> 12}); }
  std::size_t give_back() { return call("pages_hvc", {5, page >> 12}); }
  std::size_t host_call(Hypercall call, Numbers arguments = {}) {
    return hvc(pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(id(), call)), arguments);
  }
  void expect_wiped() { EXPECT_EQ(lines("Clearing pKVM firmware memory"), 1U); }
};
INSTANTIATE_TEST_SUITE_P(Generations, SketchRun, testing::ValuesIn(pkvm::generations),
                         generation_name);

// What the host has not, from the start or from a donation on, is out of devices' reach; what comes
// back is in it again.
TEST_P(SketchRun, DevicesLoseWhatTheHostLoses) {
  load("pages");
  load("iommusketch");
  const auto of_firmware = blocked(firmware);
  const auto before = blocked(page);
  const auto given = donate();
  const auto during = blocked(page);
  give_back();
  const auto after = blocked(page);
  run();
  EXPECT_EQ(exit_code(), 0);
  EXPECT_EQ(lines("iommusketch: driver 0"), 1U);
  EXPECT_EQ(lines("Clearing pKVM firmware memory"), 0U);
  EXPECT_EQ(answer(given), 0);
  EXPECT_EQ(answer(of_firmware), 1);
  EXPECT_EQ(answer(before), 0);
  EXPECT_EQ(answer(during), 1);
  EXPECT_EQ(answer(after), 0);
  holds("7.9/mirror");
  if (is_6_1()) holds("3.7/iommu_devices");
}

// A module that takes a page from the host altogether takes it from devices, too; one that leaves
// it to be read does not.
TEST_P(SketchRun, DevicesLoseWhatModulesTake) {
  load("iommusketch");
  load("regionguard");
  call("regionguard_protect_hvc", {page, 0x1000, 1});
  const auto readable = blocked(page);
  call("regionguard_protect_hvc", {page + 0x1000, 0x1000, 0});
  const auto taken = blocked(page + 0x1000);
  run();
  EXPECT_EQ(answer(readable), 0);
  EXPECT_EQ(answer(taken), 1);
  if (is_6_1()) holds("1.7/iommu");
}

// The bad twin forgets it: the same steps tell.
TEST_P(SketchRun, ATwinLetsDevicesGoOn) {
  load("pages");
  load("iommusketch_forgetstaken");
  const auto given = donate();
  const auto during = blocked(page);
  run();
  EXPECT_EQ(answer(given), 0);
  EXPECT_EQ(answer(during), 0);
}

// Power off and on again reaches the driver by the device's name: its structure, in android16 its
// node, here one that both machines have.
TEST_P(SketchRun, PowerReachesTheDriver) {
  load("iommusketch");
  parameter("iommusketch.power=1 iommusketch.compatible=arm,pl011");
  const auto counted = counts();
  run();
  EXPECT_EQ(lines("iommusketch: driver 0"), 1U);
  EXPECT_EQ(x(counted, 2), 1U) << "suspends";
  EXPECT_EQ(x(counted, 3), is_6_1() ? 2U : 1U) << "resumes: in android14 power starts off";
  holds("3.7/iommu_power");
}

// A device without a node is one that android16's driver does not know: no domain has that number.
TEST_P(SketchRun, PowerWithoutANodeIsRefused) {
  load("iommusketch");
  parameter("iommusketch.power=1 iommusketch.compatible=nobodys,device");
  run();
  EXPECT_EQ(lines("iommusketch: driver -22"), is_6_12() ? 1U : 0U);
  EXPECT_EQ(lines("Clearing pKVM firmware memory"), is_6_12() ? 1U : 0U);
}

// A driver that does not come up is a reason to wipe the firmware: registers that are no page.
TEST_P(SketchRun, AFailingDriverWipes) {
  load("iommusketch");
  parameter("iommusketch.registers=0x0c100800");
  run();
  EXPECT_EQ(lines("iommusketch: driver -22"), 1U);
  EXPECT_EQ(exit_code(), is_6_1() ? 10 : 0);
  expect_wiped();
  holds("6.3/iommu_driver_fails");
  if (is_6_1()) holds("6.3/iommu_not_finalised");
}

class SketchDevices : public SketchRun {};
INSTANTIATE_TEST_SUITE_P(Generations, SketchDevices,
                         testing::Values(pkvm::info(Generation::android14_6_1)), generation_name);

// The driver answers reads of its identity for the device, behind which the host goes on; all else
// is an abort.
TEST_P(SketchDevices, TheDriverAnswersTheHost) {
  load("iommusketch");
  touch(fmt::format("r:{:#x}", registers + SKETCH_ID));
  touch(fmt::format("r:{:#x}", registers + SKETCH_CTRL));
  touch(fmt::format("w:{:#x}=1", registers + SKETCH_ID));
  run();
  EXPECT_EQ(lines(fmt::format("touch r:{:#x}: {:#x}", registers, SKETCH_ID_VALUE)), 1U);
  EXPECT_EQ(lines("data abort, refused by the hypervisor"), 2U);
  holds("7.9/devices.abort");
}

// After the end of registration the host's own calls change nothing.
TEST_P(SketchDevices, TheHostCannotGoOn) {
  load("iommusketch");
  const auto driver = host_call(Hypercall::pkvm_iommu_driver_init, {0, 0, 0});
  const auto device = host_call(Hypercall::pkvm_iommu_register, {1, 0, registers, 0x1000, 0, 0, 0});
  const auto power = host_call(Hypercall::pkvm_iommu_pm_notify, {1, 0});
  const auto again = host_call(Hypercall::pkvm_iommu_finalize, {0});
  run();
  EXPECT_EQ(answer(driver), eperm);
  EXPECT_EQ(answer(device), eperm);
  EXPECT_EQ(answer(power), enoent);
  EXPECT_EQ(answer(again), eperm);
  holds("7.9/devices.eperm");
}

class SketchDomains : public SketchRun {
 protected:
  std::size_t refill(std::uint64_t pa) {
    return host_call(Hypercall::pkvm_hyp_alloc_mgt_refill, {1, pa, 1});
  }
  /// A domain with its structure, its root and a table; mapped, attached, and all of it undone.
  struct Steps {
    std::size_t alloc, map, find, attach, detach, unmap, gone, free, reclaimable;
  };
  Steps live_and_die() {
    for (std::uint64_t at = 0x5010'0000; at < 0x5010'3000; at += 0x1000)
      refill(at);
    Steps steps{};
    steps.alloc = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {1, 0});
    steps.map = host_call(Hypercall::pkvm_host_iommu_map_pages, {1, 0x10000, page, 0x1000, 4, 3});
    steps.find = host_call(Hypercall::pkvm_host_iommu_iova_to_phys, {1, 0x12008});
    steps.attach = host_call(Hypercall::pkvm_host_iommu_attach_dev, {0, 1, 7, 0, 0, 0});
    steps.detach = host_call(Hypercall::pkvm_host_iommu_detach_dev, {0, 1, 7, 0});
    steps.unmap = host_call(Hypercall::pkvm_host_iommu_unmap_pages, {1, 0x10000, 0x1000, 4});
    steps.gone = host_call(Hypercall::pkvm_host_iommu_iova_to_phys, {1, 0x12008});
    steps.free = host_call(Hypercall::pkvm_host_iommu_free_domain, {1});
    steps.reclaimable = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
    return steps;
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, SketchDomains,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

// The host's calls make a domain in the sample's tables, map, attach, and undo it; the tables'
// pages are free again, the structure's page stays.
TEST_P(SketchDomains, ADomainLivesAndDies) {
  load("iommusketch");
  const Steps steps = live_and_die();
  run();
  EXPECT_EQ(answer(steps.alloc), 0);
  EXPECT_EQ(answer(steps.map), 0x4000);
  EXPECT_EQ(x(steps.find, 1), page + 0x2008);
  EXPECT_EQ(answer(steps.attach), 0);
  EXPECT_EQ(answer(steps.detach), 0);
  EXPECT_EQ(answer(steps.unmap), 0x4000);
  EXPECT_EQ(answer(steps.gone), 0);
  EXPECT_EQ(answer(steps.free), 0);
  EXPECT_EQ(answer(steps.reclaimable), 2);
}

// The bad twin keeps them: the same steps leave nothing to reclaim.
TEST_P(SketchDomains, ATwinKeepsItsTables) {
  load("iommusketch_keepstables");
  const Steps steps = live_and_die();
  run();
  EXPECT_EQ(answer(steps.free), 0);
  EXPECT_EQ(answer(steps.reclaimable), 0);
}

// Without pages for a table, mapping asks the host for one.
TEST_P(SketchDomains, LackingPagesAreARequest) {
  load("iommusketch");
  refill(0x5010'0000);
  refill(0x5010'1000);
  const auto made = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {1, 0});
  const auto map = host_call(Hypercall::pkvm_host_iommu_map_pages, {1, 0, page, 0x1000, 1, 3});
  refill(0x5010'2000);
  const auto again = host_call(Hypercall::pkvm_host_iommu_map_pages, {1, 0, page, 0x1000, 1, 3});
  run();
  EXPECT_EQ(answer(made), 0);
  EXPECT_EQ(x(map, 2), 0x301U) << "pages for the IOMMU's pool";
  EXPECT_EQ(answer(again), 0x1000);
}

}  // namespace
}  // namespace pkvmemu::test
