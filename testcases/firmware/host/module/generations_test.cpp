// SPDX-License-Identifier: GPL-2.0-only
// What differs between the generations when a module is loaded (pkvm-abi.md 2.6, 3.2, 3.4), over a
// fake hypervisor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "harness/conformance_row.h"
#include "host/module/layout.h"
#include "linked_module.h"
#include "pkvm/quirk.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using pkvmemu::test::HeldOn;
using pkvmemu::test::holds;

using pkvm::Generation;
using pkvm::Hypercall;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t page = 4096;
constexpr auto enomem = static_cast<std::uint64_t>(-12);

class GenerationLoad : public testing::TestWithParam<Generation> {
 protected:
  GenerationLoad() : world(GetParam()) {
    world.add_module("test.ko", hyp_module("test", GetParam()));
    world.on_init("test", "__kvm_nvhe_hyp_init", {"__kvm_nvhe_hyp_add"});
  }
  int load() { return world.boot().modprobe("test", LoadKind::protected_list); }
  std::vector<Hypercall> kinds() {
    std::vector<Hypercall> result;
    for (const Call& call : world.kernel.hyp.calls)
      if (result.empty() || result.back() != call.call) result.push_back(call.call);
    return result;
  }
  std::vector<Call> calls_of(Hypercall kind) {
    std::vector<Call> result;
    std::ranges::copy_if(world.kernel.hyp.calls, std::back_inserter(result),
                         [&](const Call& call) { return call.call == kind; });
    return result;
  }
  void expect_nothing_left() {
    EXPECT_THAT(world.kernel.hyp.complaints, IsEmpty());
    EXPECT_THAT(world.kernel.hyp.shared_frames, IsEmpty());
    EXPECT_THAT(world.kernel.hyp.owned_frames, IsEmpty());
    EXPECT_EQ(world.kernel.live_areas(), 0U);
  }
  /// The quirk events: 0 avoided, 1 reproduced.
  std::vector<std::uint64_t> defects() {
    std::vector<std::uint64_t> met;
    for (const auto& record : world.kernel.events)
      if (record.kind == pkvm::event::Kind::quirk) {
        EXPECT_STREQ(record.name, "failed-load-unmaps-wrong-address");
        met.push_back(record.value[0]);
      }
    return met;
  }

  World world;
};

constexpr auto name_of_instance = [](const auto& instance) {
  std::string name(pkvm::info(instance.param).kmi);
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
};
INSTANTIATE_TEST_SUITE_P(Kmod, GenerationLoad,
                         testing::Values(Generation::android14_6_1, Generation::android15_6_6,
                                         Generation::android16_6_12),
                         name_of_instance);

// Every generation loads and registers; only 6.12 shares a descriptor around mapping and init.
TEST_P(GenerationLoad, MakesItsCallsInOrder) {
  holds("3.2/order", GetParam(), HeldOn::machine);
  if (GetParam() == Generation::android16_6_12) holds("3.2/15", GetParam(), HeldOn::machine);
  ASSERT_EQ(load(), 0);
  std::vector<Hypercall> expected = {Hypercall::pkvm_alloc_module_va,
                                     Hypercall::pkvm_map_module_page, Hypercall::pkvm_init_module,
                                     Hypercall::pkvm_register_hcall};
  if (GetParam() == Generation::android16_6_12) {
    expected.insert(expected.begin() + 1, Hypercall::pkvm_host_share_hyp);
    expected.insert(expected.end() - 1, Hypercall::pkvm_host_unshare_hyp);
  }
  EXPECT_EQ(kinds(), expected);
  EXPECT_THAT(world.numbers, ElementsAre(128));
  EXPECT_THAT(world.kernel.hyp.complaints, IsEmpty());
  EXPECT_THAT(world.kernel.hyp.shared_frames, IsEmpty());
  EXPECT_THAT(defects(), IsEmpty());
}

// Step 14: up to 6.6 init's hyp VA; in 6.12 the kernel VA of a shared page with a copy of arch.hyp,
// from which the hypervisor finds init.
TEST_P(GenerationLoad, InitIsNamedAsTheGenerationDoes) {
  holds("3.2/14.argument", GetParam(), HeldOn::machine);
  ASSERT_EQ(load(), 0);
  const Module& module = *world.loader->find_module("test");
  const std::uint64_t init =
      module.hyp.hyp_address(*module.symbol_address("__kvm_nvhe_hyp_init")).value;
  const std::uint64_t argument = calls_of(Hypercall::pkvm_init_module).at(0).arguments[0];
  if (GetParam() != Generation::android16_6_12) {
    EXPECT_EQ(argument, init);
    EXPECT_THAT(world.kernel.descriptor, IsEmpty());
    return;
  }
  holds("2.4/passed_to_el2", GetParam(), HeldOn::machine);
  const auto word = [&](std::size_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, world.kernel.descriptor.data() + offset, sizeof(value));
    return value;
  };
  ASSERT_EQ(world.kernel.descriptor.size(), page);
  EXPECT_EQ(word(192) - word(96) + word(112), init) << "init - sections.start + hyp_va";
  EXPECT_EQ(word(104), module.hyp.end.value);
}

// A failing init undoes everything in every generation, and says which defect it did not have.
TEST_P(GenerationLoad, AFailingInitLeavesNothing) {
  holds("3.4/pages", GetParam(), HeldOn::machine);
  world.kernel.hyp.init_result = -12;
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  expect_nothing_left();
  EXPECT_THAT(defects(), ElementsAre(0));
}

// As shipped (3.4): the offsets of the unmap loop are whole kernel addresses, as entry 0 of the
// sorted sections has start NULL; the frames are the right ones.
TEST_P(GenerationLoad, AsShippedUnmapsWrongAddresses) {
  holds("3.4/defect", GetParam(), HeldOn::machine);
  world.defects = pkvm::Defects::reproduced;
  world.kernel.hyp.init_result = -12;
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_THAT(defects(), ElementsAre(1));
  EXPECT_THAT(world.kernel.hyp.complaints, testing::SizeIs(4)) << "nothing is mapped there";
  const auto unmapped = calls_of(Hypercall::pkvm_unmap_module_page);
  ASSERT_EQ(unmapped.size(), 4U);
  for (const Call& call : unmapped) {
    const std::uint64_t kernel_address = call.arguments[1] - FakeHyp::first_va;
    EXPECT_EQ(world.kernel.physical_base + (kernel_address - FakeKernel::module_window),
              call.arguments[0] * page);
  }
}

// A refused page: what was mapped goes back, the descriptor too.
TEST_P(GenerationLoad, ARefusedPageLeavesNothing) {
  holds("3.2/12", GetParam(), HeldOn::machine);
  world.kernel.hyp.scripted[{Hypercall::pkvm_map_module_page, 3}] = {0, enomem, 0, 0};
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  expect_nothing_left();
}

// 6.1 has one allocation, text, read-only, read-only after init, writable, each from a page on, so
// that .hyp.text is the lowest section; later each kind lies by itself (2.6).
TEST_P(GenerationLoad, MemoryIsLaidOutAsTheKernelDoes) {
  holds("2.6/layout", GetParam(), HeldOn::machine);
  ASSERT_EQ(load(), 0);
  const Module& module = *world.loader->find_module("test");
  std::vector<const Memory*> core;
  for (const MemoryKind kind : {MemoryKind::text, MemoryKind::rodata, MemoryKind::data})
    core.push_back(&*module.memory[static_cast<std::size_t>(kind)]);
  for (std::size_t i = 0; i + 1 < core.size(); ++i) {
    const KernVa end = core[i]->address + core[i]->bytes.size();
    EXPECT_EQ(end == core[i + 1]->address, GetParam() == Generation::android14_6_1) << i;
  }
  EXPECT_EQ(module.hyp.start, module.hyp.parts[0].start) << ".hyp.text is the lowest";
}

// A module with every section of its generation never meets the defect, as shipped or not.
TEST(Defect, NeedsAnAbsentSection) {
  constexpr std::string_view body = R"(
    .section .init.text, "ax"
    init_module: ret
    .section .hyp.text, "ax"
    .balign 4096
    __kvm_nvhe_hyp_init: nop
    .org 4096
    .section .hyp.bss, "aw", @nobits
    .balign 4096
    .skip 4096
    .section .hyp.rodata, "a"
    .balign 4096
    .skip 4096
    .section .hyp.data, "aw"
    .balign 4096
    .skip 4096
    .section .hyp.reloc, "a"
)";
  World world(Generation::android14_6_1);
  world.defects = pkvm::Defects::reproduced;
  world.add_module("test.ko", compile_module(body, "test", Generation::android14_6_1));
  world.on_init("test", "__kvm_nvhe_hyp_init", {});
  world.kernel.hyp.init_result = -12;
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::protected_list), 256);
  EXPECT_THAT(world.kernel.hyp.complaints, IsEmpty());
  EXPECT_THAT(world.kernel.hyp.owned_frames, IsEmpty());
  for (const auto& record : world.kernel.events)
    EXPECT_NE(record.kind, pkvm::event::Kind::quirk);
}

// 6.12: a share that is refused, or no page for the copy, ends the load before anything is mapped.
TEST(Descriptor, IsSharedOrTheLoadEnds) {
  holds("3.2/11", Generation::android16_6_12, HeldOn::machine);
  holds("3.6/11", Generation::android16_6_12, HeldOn::machine);
  World world(Generation::android16_6_12);
  world.add_module("test.ko", hyp_module("test", Generation::android16_6_12));
  world.on_init("test", "__kvm_nvhe_hyp_init", {});
  world.kernel.hyp.scripted[{Hypercall::pkvm_host_share_hyp, 1}] = {0, enomem, 0, 0};
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::protected_list), 256);
  EXPECT_THAT(world.kernel.hyp.calls, testing::SizeIs(2)) << "alloc_module_va, host_share_hyp";
  EXPECT_EQ(world.kernel.live_areas(), 0U);
  EXPECT_EQ(static_cast<std::int64_t>(world.kernel.events.back().value[0]), -12);
  EXPECT_THAT(world.kernel.events.back().text, testing::HasSubstr("share the descriptor"));
}

// A page that the hypervisor does not give back is nobody's to use again.
TEST(Descriptor, IsKeptWhenItStaysShared) {
  World world(Generation::android16_6_12);
  world.add_module("test.ko", hyp_module("test", Generation::android16_6_12));
  world.on_init("test", "__kvm_nvhe_hyp_init", {});
  world.kernel.hyp.scripted[{Hypercall::pkvm_host_unshare_hyp, 1}] = {0, enomem, 0, 0};
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::protected_list), 0);
  EXPECT_THAT(world.kernel.hyp.complaints, IsEmpty());
}

}  // namespace
}  // namespace pkvmemu::kmod::test
