// SPDX-License-Identifier: GPL-2.0-only
// __pkvm_load_el2_module over a fake hypervisor: the steps of pkvm-abi.md 3.2 in their order, and
// after each failing step the state that 3.6 prescribes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "linked_module.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using pkvm::Hypercall;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t page = 4096;
constexpr auto eperm = static_cast<std::uint64_t>(-1);
constexpr auto enomem = static_cast<std::uint64_t>(-12);

class El2Loading : public testing::Test {
 protected:
  El2Loading() { world.add_module("test.ko", hyp_module("test")); }

  /// modprobe test, whose init loads the EL2 half and registers hyp_add.
  int load() {
    world.on_init("test", "__kvm_nvhe_hyp_init", {"__kvm_nvhe_hyp_add"});
    return world.boot().modprobe("test", LoadKind::protected_list);
  }
  const Module& module() { return *world.loader->find_module("test"); }
  std::uint64_t section(std::string_view name) {
    return module().sections[module().file.elf().find_section(name)->index].address;
  }
  std::uint64_t frame(std::uint64_t address) {
    return world.kernel.frame_of(KernVa{address})->value;
  }
  std::uint64_t field(std::uint64_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, module().this_module_bytes().data() + 984 + offset, sizeof(value));
    return value;
  }
  const pkvm::event::Record& end() { return world.kernel.events.back(); }
  const std::vector<Call>& calls() { return world.kernel.hyp.calls; }
  unsigned count(Hypercall which) {
    unsigned n = 0;
    for (const Call& call : calls())
      n += call.call == which ? 1U : 0U;
    return n;
  }
  /// After any failure: nothing is EL2's, nothing died, the module's memory is back.
  void expect_clean_failure(int status, Step step) {
    EXPECT_THAT(world.kernel.hyp.owned_frames, IsEmpty());
    EXPECT_THAT(world.kernel.hyp.mapped, IsEmpty());
    EXPECT_THAT(world.kernel.hyp.complaints, IsEmpty());
    EXPECT_EQ(world.kernel.live_areas(), 0U);
    EXPECT_EQ(world.loader->find_module("test"), nullptr);
    EXPECT_EQ(static_cast<std::int64_t>(end().value[0]), status);
    EXPECT_EQ(end().value[1], static_cast<std::uint64_t>(step));
    EXPECT_THAT(world.kernel.hyp.handlers, IsEmpty());
  }

  World world;
};

// Steps 5, 12 and 14 and the registration, in this order, with addresses that keep the kernel's
// layout and one permission for each section; empty sections make no call.
TEST_F(El2Loading, MakesTheCallsOfTheTable) {
  ASSERT_EQ(load(), 0);
  const std::uint64_t text = section(".hyp.text");
  const std::uint64_t bss = section(".hyp.bss");
  const std::uint64_t data = section(".hyp.data");
  ASSERT_LT(text, bss);
  ASSERT_LT(bss, data);
  const auto hyp = [&](std::uint64_t address) { return FakeHyp::first_va + (address - text); };
  const auto map = [&](std::uint64_t address, std::uint64_t prot) {
    return Call{Hypercall::pkvm_map_module_page, {frame(address), hyp(address), prot}};
  };
  EXPECT_THAT(calls(), ElementsAre(Call{Hypercall::pkvm_alloc_module_va,
                                        {(data + page - text) / page, 0, 0}},
                                   map(text, 5), map(bss, 6), map(bss + page, 6), map(data, 6),
                                   Call{Hypercall::pkvm_init_module, {hyp(text), 0, 0}},
                                   Call{Hypercall::pkvm_register_hcall, {hyp(text + 4), 0, 0}}));
}

// Step 6: the token reaches the caller and struct module, and the range the macros compute with.
TEST_F(El2Loading, StoresTokenAndRange) {
  ASSERT_EQ(load(), 0);
  EXPECT_EQ(world.kernel.stored_words.at(World::token_address), FakeHyp::first_va);
  EXPECT_EQ(field(136), FakeHyp::first_va);
  EXPECT_EQ(field(80), section(".hyp.text"));
  EXPECT_EQ(field(88), section(".hyp.data") + page);
}

// Discovery (2.3) filled the descriptors: sections that are not empty, relocations with their
// count.
TEST_F(El2Loading, FillsTheDescriptors) {
  ASSERT_EQ(load(), 0);
  EXPECT_EQ(field(0), section(".hyp.text"));
  EXPECT_EQ(field(8), section(".hyp.text") + page);
  EXPECT_EQ(field(16), section(".hyp.bss"));
  EXPECT_EQ(field(24), section(".hyp.bss") + 2 * page);
  EXPECT_EQ(field(32), 0U) << "an empty .hyp.rodata is not recorded";
  EXPECT_EQ(field(40), 0U);
  EXPECT_EQ(field(48), section(".hyp.data"));
  EXPECT_EQ(field(64), 0U) << "no events, no event ids";
  EXPECT_EQ(field(112), section(".hyp.reloc"));
  EXPECT_EQ(field(144) & 0xffff'ffff, 2U);
}

// Step 7: each slot moves by token minus base; the word without an entry stays.
TEST_F(El2Loading, AppliesHypReloc) {
  ASSERT_EQ(load(), 0);
  const auto data = module().bytes_at(KernVa{section(".hyp.data")}, 24);
  std::array<std::uint64_t, 3> words{};
  std::memcpy(words.data(), data.data(), sizeof(words));
  EXPECT_EQ(words[0], FakeHyp::first_va);
  EXPECT_EQ(words[1], FakeHyp::first_va + (section(".hyp.data") - section(".hyp.text")) + 16);
  EXPECT_EQ(words[2], 0x1234U);
}

// The handler gets its number, and the record knows module and symbol for calls and reports.
TEST_F(El2Loading, RecordsTheHandler) {
  ASSERT_EQ(load(), 0);
  EXPECT_THAT(world.numbers, ElementsAre(128));
  for (const std::string_view name : {"hyp_add", "test/hyp_add"}) {
    const HandlerLookup found = world.loader->find_handler(name);
    ASSERT_NE(found.handler, nullptr) << name;
    EXPECT_EQ(found.handler->number, 128U);
    EXPECT_EQ(found.handler->module->name(), "test");
    EXPECT_FALSE(found.ambiguous);
  }
  EXPECT_EQ(world.loader->find_handler("other/hyp_add").handler, nullptr);
  EXPECT_EQ(world.loader->find_handler("hyp_ad").handler, nullptr);
  EXPECT_EQ(world.loader->module_at(HypVa{FakeHyp::first_va + 4})->name(), "test");
  EXPECT_EQ(world.loader->module_at(HypVa{FakeHyp::first_va - 4}), nullptr);
}

// What a report needs arrives as events, in order.
TEST_F(El2Loading, TellsItsStoryAsEvents) {
  ASSERT_EQ(load(), 0);
  EXPECT_THAT(world.kernel.event_lines(),
              ElementsAre("begin test", "file test", "el2_placed test", "el2_loaded test",
                          "handler test", "end test"));
  const auto& events = world.kernel.events;
  EXPECT_STREQ(events[0].text, "lib/modules/6.6.77/test.ko");
  EXPECT_EQ(events[0].value[0], 1U);
  EXPECT_STREQ(events[1].text, "6.6.77 SMP preempt mod_unload aarch64");
  EXPECT_EQ(events[2].value[0], FakeHyp::first_va);
  EXPECT_EQ(events[2].value[2], FakeHyp::first_va) << "where .hyp.text, the lowest section, lies";
  EXPECT_EQ(events[3].value[0], FakeHyp::first_va);
  EXPECT_EQ(events[3].value[1], section(".hyp.text"));
  EXPECT_STREQ(events[4].text, "hyp_add");
  EXPECT_EQ(events[4].value[0], 128U);
  EXPECT_EQ(events[4].value[1], FakeHyp::first_va + 4);
  EXPECT_STREQ(events[5].text, "");
  EXPECT_EQ(events[5].value[1], static_cast<std::uint64_t>(Step::done));
}

// Whoever watches code learns where each section lies, in the kernel and at EL2, before any of it
// runs.
TEST_F(El2Loading, TellsWhereItsSectionsLie) {
  ASSERT_EQ(load(), 0);
  EXPECT_EQ(world.kernel.events[2].value[3], section(".hyp.text")) << "el2_placed";
  const Module& module = *world.loader->find_module("test");
  std::size_t told = 0;
  for (const auto& record : world.kernel.places) {
    EXPECT_STREQ(record.name, "test");
    for (const std::uint64_t value : record.value) {
      if (value == 0) break;
      const auto place = pkvm::event::unpack_section(value);
      ASSERT_LT(place.section, module.sections.size());
      EXPECT_EQ(place.address << 16U, module.sections[place.section].address << 16U);
      ++told;
    }
  }
  EXPECT_EQ(told, static_cast<std::size_t>(std::ranges::count_if(
                      module.sections, [](const auto& one) { return one.address != 0; })));
}

// Step 1, after the host has lost its privileges: -EOPNOTSUPP and not one hypercall.
TEST_F(El2Loading, Step1RefusesAfterFinalisation) {
  world.kernel.phase = HypPhase::finalised;
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_THAT(calls(), IsEmpty());
  expect_clean_failure(-95, Step::phase_check);
  EXPECT_STREQ(end().text,
               "init returned -95 (EOPNOTSUPP): the host has already been deprivileged");
}

// Step 1, without protected mode: the same answer.
TEST_F(El2Loading, Step1RefusesWithoutProtectedMode) {
  world.kernel.phase = HypPhase::not_protected;
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_THAT(calls(), IsEmpty());
  expect_clean_failure(-95, Step::phase_check);
}

// Step 5, refused: -EPERM.
TEST_F(El2Loading, Step5RefusedIsEperm) {
  world.kernel.hyp.scripted[{Hypercall::pkvm_alloc_module_va, 1}] = {~std::uint64_t{0}, 7, 0, 0};
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_EQ(calls().size(), 1U);
  expect_clean_failure(-1, Step::alloc_module_va);
}

// Step 5, no addresses left: -ENOMEM.
TEST_F(El2Loading, Step5WithoutAddressesIsEnomem) {
  world.kernel.hyp.scripted[{Hypercall::pkvm_alloc_module_va, 1}] = {0, 0, 0, 0};
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_EQ(calls().size(), 1U);
  expect_clean_failure(-12, Step::alloc_module_va);
}

// Step 12, failing at any page: what was mapped before goes back, nothing else is touched, the
// hypervisor's error is the load's.
class El2LoadingPage : public El2Loading, public testing::WithParamInterface<unsigned> {};
TEST_P(El2LoadingPage, Step12GivesBackWhatWasMapped) {
  world.kernel.hyp.scripted[{Hypercall::pkvm_map_module_page, GetParam()}] = {0, eperm, 0, 0};
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_EQ(count(Hypercall::pkvm_map_module_page), GetParam());
  EXPECT_EQ(count(Hypercall::pkvm_unmap_module_page), GetParam() - 1);
  EXPECT_EQ(count(Hypercall::pkvm_init_module), 0U);
  expect_clean_failure(-1, Step::map_module_page);
}
INSTANTIATE_TEST_SUITE_P(Pages, El2LoadingPage, testing::Range(1U, 5U));

// Step 14, the module's own init failing: its error comes out, every page is back although some
// sections are empty, the kernel says so, and no handler was registered.
TEST_F(El2Loading, Step14GivesEverythingBack) {
  world.kernel.hyp.init_result = -12;
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_EQ(count(Hypercall::pkvm_unmap_module_page), 4U);
  EXPECT_THAT(world.kernel.console, ElementsAre("Failed to init EL2 module: -12"));
  expect_clean_failure(-12, Step::init_module);
  EXPECT_STREQ(end().text, "init returned -12 (ENOMEM)");
}

// The pages go back in the order of the sections, each at the address it was mapped at.
TEST_F(El2Loading, UnmapsWhereItMapped) {
  world.kernel.hyp.init_result = -22;
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  std::vector<std::array<std::uint64_t, 2>> mapped;
  std::vector<std::array<std::uint64_t, 2>> unmapped;
  for (const Call& call : calls()) {
    const std::array<std::uint64_t, 2> page_and_frame = {call.arguments[0], call.arguments[1]};
    if (call.call == Hypercall::pkvm_map_module_page) mapped.push_back(page_and_frame);
    if (call.call == Hypercall::pkvm_unmap_module_page) unmapped.push_back(page_and_frame);
  }
  EXPECT_EQ(mapped, unmapped);
}

// A full handler table is -ENOMEM for the caller; the EL2 half stays loaded, so the memory does.
TEST_F(El2Loading, AFullHandlerTableIsEnomem) {
  world.kernel.hyp.scripted[{Hypercall::pkvm_register_hcall, 1}] = {0, enomem, 0, 0};
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_EQ(static_cast<std::int64_t>(end().value[0]), -12);
  EXPECT_EQ(end().value[1], static_cast<std::uint64_t>(Step::el1_init));
  EXPECT_EQ(world.kernel.hyp.owned_frames.size(), 4U);
  ASSERT_NE(world.loader->find_module("test"), nullptr);
  EXPECT_EQ(module().state, ModuleState::failed);
  EXPECT_NE(world.kernel.live_areas(), 0U);
}

// A second load in the same module (3.5): the pages are the hypervisor's already, -EPERM.
TEST_F(El2Loading, ASecondLoadOfTheSameModuleIsEperm) {
  ASSERT_EQ(load(), 0);
  EXPECT_EQ(world.loader->load_el2_module(module().this_module(), KernVa{}), -1);
}

// A pointer that is no module's is refused.
TEST_F(El2Loading, AnUnknownModuleIsRefused) {
  ASSERT_EQ(load(), 0);
  EXPECT_EQ(world.loader->load_el2_module(module().this_module() + 8, KernVa{}), -19);
}

// .hyp.text without .hyp.reloc is no module at all (2.3): -ENOEXEC before init runs.
TEST(Discovery, TextWithoutRelocIsRefused) {
  World world;
  world.add_module("test.ko", compile_module(R"(
    .section .hyp.text, "ax"
    .balign 4096
    .skip 4096
  )"));
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::protected_list), 256);
  EXPECT_THAT(world.kernel.console,
              ElementsAre("test: has .hyp.text but no .hyp.reloc: was gen-hyprel run?"));
  EXPECT_THAT(world.kernel.inits, IsEmpty());
  EXPECT_EQ(static_cast<std::int64_t>(world.kernel.events.back().value[0]), -8);
}

// A section that is not page-aligned is refused (step 2) and named.
TEST(Discovery, AnUnalignedSectionIsRefused) {
  World world;
  world.add_module("test.ko", compile_module(R"(
    .section .init.text, "ax"
    init_module: ret
    .text
    nop
    .section .hyp.text, "ax"
    __kvm_nvhe_hyp_init: nop
    .section .hyp.reloc, "a"
    .section .hyp.data, "aw"
    .quad 0
  )"));
  world.on_init("test", "__kvm_nvhe_hyp_init", {});
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::protected_list), 256);
  EXPECT_THAT(world.kernel.hyp.calls, IsEmpty());
  EXPECT_THAT(world.kernel.events.back().text, testing::HasSubstr(".hyp.text is at 0x"));
  EXPECT_EQ(world.kernel.events.back().value[1], static_cast<std::uint64_t>(Step::section_check));
}

// A struct module of another size (2.4, last sentence): arch.hyp is found by the one word that
// points into .hyp.text, and its fields are filled there.
TEST(Discovery, FindsArchHypInAForeignLayout) {
  constexpr std::uint64_t foreign_arch_hyp = 1000;
  World world;
  world.add_module("test.ko", compile(R"(
    .section .modinfo, "a"
    .asciz "vermagic=6.6.99 SMP preempt"
    .asciz "name=test"
    .section .gnu.linkonce.this_module, "aw"
  .Lmodule:
    .skip 24
    .asciz "test"
    .org .Lmodule + 400
    .quad init_module
    .org .Lmodule + 1000 + 152
    .quad __kvm_nvhe_hyp_init
    .org .Lmodule + 1664
    .section .init.text, "ax"
    .globl init_module
    init_module: ret
    .section .hyp.text, "ax"
    .balign 4096
    .Lstart:
    nop
    __kvm_nvhe_hyp_init: nop
    .skip 4096 - (. - .Lstart)
    .section .hyp.reloc, "a"
  )"));
  int status = -1;
  ModuleLoader& loader = world.boot();
  world.kernel.init = [&](KernVa address) {
    status = loader.load_el2_module(loader.module_at(address)->this_module(), KernVa{});
    return status;
  };
  ASSERT_EQ(loader.modprobe("test", LoadKind::protected_list), 0);
  EXPECT_EQ(status, 0);
  const Module& module = *loader.find_module("test");
  EXPECT_EQ(module.hyp.struct_offset, foreign_arch_hyp);
  EXPECT_EQ(world.kernel.hyp.calls.back(),
            (Call{Hypercall::pkvm_init_module, {FakeHyp::first_va + 4, 0, 0}}));
  std::uint64_t start = 0;
  std::memcpy(&start, module.this_module_bytes().data() + foreign_arch_hyp + 80, sizeof(start));
  EXPECT_EQ(start, module.hyp.start.value);
}

}  // namespace
}  // namespace pkvmemu::kmod::test
