// SPDX-License-Identifier: GPL-2.0-only
// 6.1's IOMMU drivers and devices (pkvm-abi.md 7.9): every error of the calls beside the call that
// works, and what drivers hear of the host's memory.
#include "hyp/iommu_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "harness/conformance_row.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;
using pkvmemu::test::HeldOn;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto generation = Generation::android14_6_1;
constexpr int eperm = -1, enoent = -2, enomem = -12, ebusy = -16, eexist = -17, enodev = -19,
              einval = -22;
constexpr Pa page = host_page(64);
constexpr std::uint64_t first_id = 0x111, second_id = 0x222;

void holds(std::string_view row) {
  pkvmemu::test::holds(row, generation, HeldOn::machine);
}

/// What the driver was called for, and what it answers.
struct Driver {
  std::vector<std::string> calls;
  std::vector<PaRange> prepared;
  std::uint64_t data_word = 0;
  int init_answer = 0;
  int validate_answer = 0;
  int child_answer = 0;
  int power_answer = 0;
  bool takes_aborts = false;
  std::size_t abort_offset = 0;
};
Driver heard;

int init(void* data, size_t size) {
  heard.calls.emplace_back("init");
  if (size != 0) std::memcpy(&heard.data_word, data, sizeof(heard.data_word));
  return heard.init_answer;
}
int validate(pkvm_iommu* /*device*/) {
  heard.calls.emplace_back("validate");
  return heard.validate_answer;
}
int validate_child(pkvm_iommu* device, pkvm_iommu* child) {
  EXPECT_EQ(child->parent, device);
  heard.calls.emplace_back("validate_child");
  return heard.child_answer;
}
void prepare(phys_addr_t start, phys_addr_t end, kvm_pgtable_prot prot) {
  if (prot == KVM_PGTABLE_PROT_NONE) heard.prepared.push_back({Pa{start}, Pa{end}});
  heard.calls.emplace_back(prot == KVM_PGTABLE_PROT_NONE ? "taken" : "given");
}
void apply(pkvm_iommu* device, phys_addr_t /*start*/, phys_addr_t /*end*/) {
  heard.calls.push_back("apply " + std::to_string(device->id));
}
void complete(pkvm_iommu* device) {
  heard.calls.push_back("complete " + std::to_string(device->id));
}
int suspend(pkvm_iommu* /*device*/) {
  heard.calls.emplace_back("suspend");
  return heard.power_answer;
}
int resume(pkvm_iommu* /*device*/) {
  heard.calls.emplace_back("resume");
  return heard.power_answer;
}
bool take_abort(pkvm_iommu* /*device*/, kvm_cpu_context* /*host*/, u32 /*esr*/, size_t offset) {
  heard.abort_offset = offset;
  return heard.takes_aborts;
}

class IommuDevicesTest : public testing::Test {
 protected:
  IommuDevicesTest() { heard = {}; }

  IommuDevices& devices() { return world.hyp().iommu_devices; }
  HypVa linear(Pa pa) { return world.hyp().linear.hyp_va(pa); }
  int init_driver() { return devices().init_driver(&driver, {.at = HypVa{0}, .size = 0}); }
  /// One that is ready, without what it has heard so far.
  void make_ready() {
    ASSERT_EQ(init_driver(), 0);
    heard = {};
  }
  IommuDevices::Registration device(std::uint64_t id = first_id) {
    const Pa begin = uart + (id == first_id ? 0 : page_size);
    return {.id = id,
            .driver = &driver,
            .registers = {begin, begin + page_size},
            .parent = 0,
            .flags = 0,
            .page = linear(page)};
  }
  int notify(std::uint64_t id, IommuDevices::PowerEvent event) {
    return devices().notify(id, static_cast<std::uint64_t>(event));
  }
  bool is_hosts(Pa pa) { return world.host().state(pa) == PageState::owned; }

  static constexpr auto on = IommuDevices::PowerEvent::resume;
  static constexpr auto off = IommuDevices::PowerEvent::suspend;

  World world{generation};
  pkvm_iommu_ops ops{.init = init,
                     .validate = validate,
                     .validate_child = validate_child,
                     .host_stage2_idmap_prepare = prepare,
                     .host_stage2_idmap_apply = apply,
                     .host_stage2_idmap_complete = complete,
                     .suspend = suspend,
                     .resume = resume,
                     .host_dabt_handler = take_abort,
                     .data_size = 16};
  pkvm_iommu_driver driver{.ops = &ops, .list = {}, .state = 0};
};

// The driver's init sees memory that the host shares, which it may unshare again afterwards.
TEST_F(IommuDevicesTest, InitSeesSharedMemory) {
  std::uint64_t word = 0x1234;
  std::memcpy(world.hyp().linear.pointer<void>(page), &word, sizeof(word));
  ASSERT_TRUE(world.ownership().host_share_hyp(frame(page)));
  EXPECT_EQ(devices().init_driver(&driver, {.at = linear(page), .size = 8}), 0);
  EXPECT_EQ(heard.data_word, word);
  EXPECT_TRUE(world.ownership().host_unshare_hyp(frame(page)));
  holds("7.9/devices.init");
}

// Memory that is not shared cannot be pinned: the driver is not called, and may come again.
TEST_F(IommuDevicesTest, InitNeedsSharedMemory) {
  EXPECT_EQ(devices().init_driver(&driver, {.at = linear(page), .size = 8}), eperm);
  EXPECT_THAT(heard.calls, IsEmpty());
  EXPECT_EQ(init_driver(), 0);
}

// A driver is initialised once; one whose init failed may come again.
TEST_F(IommuDevicesTest, ADriverIsInitialisedOnce) {
  heard.init_answer = enodev;
  EXPECT_EQ(init_driver(), enodev);
  heard.init_answer = 0;
  EXPECT_EQ(init_driver(), 0);
  EXPECT_EQ(init_driver(), ebusy);
  EXPECT_EQ(devices().init_driver(nullptr, {.at = HypVa{0}, .size = 0}), einval);
  holds("7.9/devices.ebusy");
}

// A driver that comes late hears of what was taken before.
TEST_F(IommuDevicesTest, ANewDriverHearsOfAllThatIsTaken) {
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw));
  ASSERT_EQ(init_driver(), 0);
  const auto covers = [](const PaRange& range) { return range.contains(page); };
  EXPECT_THAT(heard.prepared, Contains(testing::Truly(covers)));
  const auto other = [](const PaRange& range) { return range.contains(host_page(70)); };
  EXPECT_THAT(heard.prepared, testing::Not(Contains(testing::Truly(other))));
}

// Without memory a registration asks for it; with a page the device is made in it, its registers
// are the hypervisor's, and the next one fits in the rest.
TEST_F(IommuDevicesTest, DevicesAreMadeInTheHostsPage) {
  make_ready();
  auto request = device();
  request.page = HypVa{0};
  EXPECT_EQ(devices().add(request), enomem);
  EXPECT_TRUE(is_hosts(uart));
  ASSERT_EQ(devices().add(device()), 0);
  EXPECT_FALSE(is_hosts(uart));
  EXPECT_FALSE(is_hosts(page));
  auto second = device(second_id);
  second.page = HypVa{0};
  EXPECT_EQ(devices().add(second), 0);
  holds("7.9/devices.enomem");
}

// The same id, or registers that another device has, come once; the lock is free afterwards.
TEST_F(IommuDevicesTest, ADeviceIsRegisteredOnce) {
  make_ready();
  ASSERT_EQ(devices().add(device()), 0);
  EXPECT_EQ(devices().add(device()), eexist);
  auto same_registers = device();
  same_registers.id = second_id;
  EXPECT_EQ(devices().add(same_registers), eexist);
  EXPECT_EQ(devices().add(device(second_id)), 0);
  holds("7.9/devices.eexist");
}

// A driver that is not ready, and a parent that nobody registered, are not there.
TEST_F(IommuDevicesTest, DriverAndParentMustBeThere) {
  EXPECT_EQ(devices().add(device()), enoent);
  make_ready();
  auto child = device(second_id);
  child.parent = first_id;
  EXPECT_EQ(devices().add(child), enoent);
  ASSERT_EQ(devices().add(device()), 0);
  EXPECT_EQ(devices().add(child), 0);
  EXPECT_THAT(heard.calls, Contains("validate_child"));
  holds("7.9/devices.enoent");
}

// Registers are whole pages outside RAM.
TEST_F(IommuDevicesTest, RegistersAreWholePagesOfMmio) {
  make_ready();
  for (const PaRange& registers :
       {PaRange{uart + 8, uart + page_size}, PaRange{uart, uart + 12}, PaRange{uart, uart},
        PaRange{page, page + page_size}, PaRange{ram_begin - page_size, ram_begin + page_size}}) {
    auto request = device();
    request.registers = registers;
    EXPECT_EQ(devices().add(request), einval);
  }
  ops.data_size = page_size;
  EXPECT_EQ(devices().add(device()), einval);
  holds("7.9/devices.einval");
}

// What the driver, or the parent's, refuses leaves nothing behind: the page is the host's again,
// and so are the registers.
TEST_F(IommuDevicesTest, ARefusedDeviceLeavesNothing) {
  make_ready();
  heard.validate_answer = einval;
  EXPECT_EQ(devices().add(device()), einval);
  EXPECT_TRUE(is_hosts(page));
  EXPECT_TRUE(is_hosts(uart));
  heard.validate_answer = 0;
  ASSERT_EQ(devices().add(device()), 0);
  heard.child_answer = eperm;
  auto child = device(second_id);
  child.parent = first_id;
  EXPECT_EQ(devices().add(child), eperm);
  heard.child_answer = 0;
  EXPECT_EQ(devices().add(child), 0) << "its place in the page is free again";
}

// Power goes on and off, once each; a device whose driver refuses keeps what it had.
TEST_F(IommuDevicesTest, PowerAlternates) {
  make_ready();
  ASSERT_EQ(devices().add(device()), 0);
  heard.calls.clear();
  EXPECT_EQ(notify(first_id, off), einval);
  EXPECT_EQ(notify(first_id, on), 0);
  EXPECT_EQ(notify(first_id, on), einval);
  heard.power_answer = ebusy;
  EXPECT_EQ(notify(first_id, off), ebusy);
  heard.power_answer = 0;
  EXPECT_EQ(notify(first_id, off), 0);
  EXPECT_THAT(heard.calls, ElementsAre("resume", "suspend", "suspend"));
  EXPECT_EQ(notify(second_id, on), enoent);
  EXPECT_EQ(devices().notify(first_id, 2), einval);
  holds("7.9/devices.power");
}

// A child has power only while its parent has.
TEST_F(IommuDevicesTest, AChildNeedsItsParentsPower) {
  make_ready();
  ASSERT_EQ(devices().add(device()), 0);
  auto child = device(second_id);
  child.parent = first_id;
  ASSERT_EQ(devices().add(child), 0);
  EXPECT_EQ(notify(second_id, on), einval);
  ASSERT_EQ(notify(first_id, on), 0);
  EXPECT_EQ(notify(second_id, on), 0);
}

// What the host loses and gets back is told to the driver, then to devices with power.
TEST_F(IommuDevicesTest, DriversHearOfChanges) {
  make_ready();
  ASSERT_EQ(devices().add(device()), 0);
  ASSERT_EQ(devices().add(device(second_id)), 0);
  ASSERT_EQ(notify(second_id, on), 0);
  heard = {};
  const Pa other = host_page(80);
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(other), 1, Accept::memory_only, prot_rw));
  EXPECT_THAT(heard.calls, ElementsAre("taken", "apply 546", "complete 546"));
  heard = {};
  ASSERT_TRUE(world.ownership().hyp_donate_host(frame(other), 1));
  EXPECT_THAT(heard.calls, ElementsAre("given", "apply 546", "complete 546"));
  holds("7.9/devices.hears");
}

// Aborts within a device's registers go to its driver with their offset; others to nobody.
TEST_F(IommuDevicesTest, AbortsGoToTheDevice) {
  make_ready();
  ASSERT_EQ(devices().add(device()), 0);
  user_pt_regs regs{};
  heard.takes_aborts = true;
  EXPECT_TRUE(devices().takes_abort(&regs, 0, uart + 0x18));
  EXPECT_EQ(heard.abort_offset, 0x18U);
  EXPECT_FALSE(devices().takes_abort(&regs, 0, uart + page_size));
  heard.takes_aborts = false;
  EXPECT_FALSE(devices().takes_abort(&regs, 0, uart));
}

// After the end of registration nothing is registered any more, nor ended again; power still
// changes.
TEST_F(IommuDevicesTest, FinalizeEndsRegistration) {
  make_ready();
  ASSERT_EQ(devices().add(device()), 0);
  EXPECT_EQ(devices().finalize(), 0);
  EXPECT_EQ(devices().finalize(), eperm);
  EXPECT_EQ(devices().add(device(second_id)), eperm);
  pkvm_iommu_driver late{.ops = &ops, .list = {}, .state = 0};
  EXPECT_EQ(devices().init_driver(&late, {.at = HypVa{0}, .size = 0}), eperm);
  EXPECT_EQ(notify(first_id, on), 0);
  holds("7.9/devices.eperm");
}

}  // namespace
}  // namespace pkvmemu::hyp::test
