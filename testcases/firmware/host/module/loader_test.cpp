// SPDX-License-Identifier: GPL-2.0-only
// modprobe over an initramfs: names, paths, dependencies, the list of protected modules, refusals.
#include "host/module/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "linked_module.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int failed = ModuleLoader::modprobe_failed;

std::int64_t status_of(const pkvm::event::Record& end) {
  return static_cast<std::int64_t>(end.value[0]);
}

// A plain module without EL2 code loads, gets its init called, and its init memory is given back.
TEST(Modprobe, LoadsAPlainModule) {
  World world;
  world.add_module("plain.ko", compile_module(R"(
    nop
    .section .init.text, "ax"
    init_module: ret
  )",
                                              "plain"));
  ModuleLoader& loader = world.boot();
  std::uint64_t init = 0;
  world.kernel.init = [&](KernVa address) {
    init = loader.module_at(address)->symbol_address("init_module")->value;
    return 0;
  };
  EXPECT_EQ(loader.modprobe("plain", LoadKind::protected_list), 0);
  EXPECT_THAT(world.kernel.inits, ElementsAre(KernVa{init}));
  for (const auto& area : world.kernel.areas) {
    EXPECT_EQ(area.freed, area.kind == MemoryKind::init_text);
    if (area.kind == MemoryKind::text) EXPECT_TRUE(area.synced);
    if (area.kind == MemoryKind::scratch)
      EXPECT_EQ(area.protection, std::nullopt);
    else
      EXPECT_EQ(area.protection, area.kind);
  }
}

// Names are equal when they differ in '-' and '_' only; the directory may have no release in it.
TEST(Modprobe, FindsNamesAndDirectories) {
  for (const std::string_view directory : {"lib/modules/6.6.77/", "lib/modules/"}) {
    World world;
    world.add_module("kernel/drivers/my-module.ko", compile_module("nop", "my_module"));
    EXPECT_EQ(world.boot(directory).modprobe("my_module", LoadKind::late), 0) << directory;
    EXPECT_EQ(world.loader->modprobe("my-module", LoadKind::late), 0) << "is loaded already";
    EXPECT_EQ(world.kernel.events.size(), 3U) << "the second time tells nothing";
    EXPECT_NE(world.loader->find_module("my-module"), nullptr);
  }
}

// A name without a file: status 256, "no such file", and no word on the console (-q).
TEST(Modprobe, AMissingModuleIsStatus256) {
  World world;
  world.add_module("hello.ko", compile_module("nop", "hello"));
  EXPECT_EQ(world.boot().modprobe("nosuch", LoadKind::protected_list), failed);
  EXPECT_THAT(world.kernel.event_lines(), ElementsAre("begin nosuch", "end nosuch"));
  EXPECT_STREQ(world.kernel.events.back().text, "no such file");
  EXPECT_EQ(status_of(world.kernel.events.back()), -2);
  EXPECT_THAT(world.kernel.console, IsEmpty());
}

// modules.dep may name a file that is not there; and there may be no modules.dep at all.
TEST(Modprobe, AMissingFileIsStatus256) {
  World world;
  world.add_file("lib/modules/6.6.77/modules.dep", "gone.ko:\n");
  EXPECT_EQ(world.boot().modprobe("gone", LoadKind::late), failed);
  World empty;
  empty.add_file("init", "");
  EXPECT_EQ(empty.boot().modprobe("gone", LoadKind::late), failed);
}

// Dependencies load first, the last of the line before the others, each once.
TEST(Modprobe, LoadsDependenciesFirst) {
  World world;
  world.add_module("a.ko", compile_module("nop", "a"), "b.ko c.ko");
  world.add_module("b.ko", compile_module("nop", "b"), "c.ko");
  world.add_module("c.ko", compile_module("nop", "c"));
  ModuleLoader& loader = world.boot();
  EXPECT_EQ(loader.modprobe("a", LoadKind::protected_list), 0);
  EXPECT_THAT(world.kernel.event_lines(),
              ElementsAre("begin c", "file c", "end c", "begin b", "file b", "end b", "begin a",
                          "file a", "end a"));
}

// A dependency that fails stops its user, which says why.
TEST(Modprobe, AFailingDependencyStopsItsUser) {
  World world;
  world.add_module("a.ko", compile_module("nop", "a"), "b.ko");
  world.add_module("b.ko", compile_module("bl missing", "b"));
  EXPECT_EQ(world.boot().modprobe("a", LoadKind::protected_list), failed);
  EXPECT_THAT(world.kernel.event_lines(),
              ElementsAre("begin b", "file b", "unresolved b", "end b", "begin a", "end a"));
  EXPECT_STREQ(world.kernel.events.back().text, "b, which it depends on, did not load");
  EXPECT_THAT(world.kernel.console, ElementsAre("b: Unknown symbol missing (err -2)"));
}

// insmod of a loaded module: -EEXIST, and the loaded one stays.
TEST(Insmod, ASecondTimeIsEexist) {
  World world;
  world.add_module("hello.ko", compile_module("nop", "hello"));
  ModuleLoader& loader = world.boot();
  EXPECT_EQ(loader.insmod("/lib/modules/6.6.77/hello.ko", LoadKind::late), 0);
  EXPECT_EQ(loader.insmod("/lib/modules/6.6.77/hello.ko", LoadKind::late), -17);
  EXPECT_EQ(loader.find_module("hello")->state, ModuleState::live);
  EXPECT_STREQ(world.kernel.events.back().text, "already loaded");
  EXPECT_EQ(loader.insmod("/lib/modules/6.6.77/other.ko", LoadKind::late), -2);
}

// A module of another kernel is refused with both versions named.
TEST(Insmod, AnotherVersionIsRefused) {
  World world;
  world.add_module("old.ko", compile(R"(
    .section .modinfo, "a"
    .asciz "vermagic=6.1.75-android14-11 SMP preempt"
    .section .gnu.linkonce.this_module, "aw"
    .skip 1024
  )"));
  EXPECT_EQ(world.boot().insmod("lib/modules/6.6.77/old.ko", LoadKind::late), -8);
  EXPECT_THAT(world.kernel.console,
              ElementsAre("old: version magic '6.1.75-android14-11 SMP preempt' should be "
                          "'6.6.77 SMP preempt mod_unload aarch64'"));
}

// A file that is no module is refused with the reader's words.
TEST(Insmod, ADamagedFileIsRefused) {
  World world;
  world.add_file("junk.ko",
                 "this is no ELF file, it only has the name of a module, and some length");
  EXPECT_EQ(world.boot().insmod("junk.ko", LoadKind::late), -8);
  EXPECT_THAT(world.kernel.events.back().text, HasSubstr("not an ELF file"));
}

// EL1's own init failing gives its error, and all memory comes back.
TEST(Insmod, AFailingInitGivesMemoryBack) {
  World world;
  world.add_module("plain.ko",
                   compile_module(".section .init.text, \"ax\"\n init_module: ret", "plain"));
  ModuleLoader& loader = world.boot();
  world.kernel.init = [](KernVa) { return -22; };
  EXPECT_EQ(loader.insmod("lib/modules/6.6.77/plain.ko", LoadKind::late), -22);
  EXPECT_EQ(world.kernel.live_areas(), 0U);
  EXPECT_STREQ(world.kernel.events.back().text, "init returned -22 (EINVAL)");
  EXPECT_EQ(world.kernel.events.back().value[1], static_cast<std::uint64_t>(Step::el1_init));
}

// Each allocation failing in turn: -ENOMEM, and everything taken before is back.
TEST(Insmod, EachFailingAllocationIsClean) {
  for (unsigned nth = 1; nth <= 3; ++nth) {
    World world;
    world.add_module("test.ko", hyp_module("test"));
    world.kernel.failing_allocation = nth;
    EXPECT_EQ(world.boot().insmod("lib/modules/6.6.77/test.ko", LoadKind::late), -12) << nth;
    EXPECT_EQ(world.kernel.live_areas(), 0U) << nth;
  }
}

// The list runs in order, empty items are nothing, the first failure ends it, later names are told
// as skipped.
TEST(ProtectedModules, TheFirstFailureEndsTheList) {
  World world;
  world.add_module("one.ko", compile_module("nop", "one"));
  world.add_module("two.ko", compile_module("nop", "two"));
  EXPECT_EQ(world.boot().load_protected_modules(",one,,nosuch,two,three,"), failed);
  EXPECT_THAT(world.kernel.event_lines(),
              ElementsAre("begin one", "file one", "end one", "begin nosuch", "end nosuch",
                          "skipped two", "skipped three"));
  EXPECT_THAT(world.kernel.console, ElementsAre("Failed to load pkvm module nosuch: 256"));
}

// Nothing to do is success; after finalisation the list is refused as a whole.
TEST(ProtectedModules, GuardsAndEmptyLists) {
  World world;
  world.add_module("one.ko", compile_module("nop", "one"));
  EXPECT_EQ(world.boot().load_protected_modules(""), 0);
  EXPECT_EQ(world.loader->load_protected_modules("one"), 0);
  world.kernel.phase = HypPhase::finalised;
  EXPECT_EQ(world.loader->load_protected_modules("one"), -13);
}

// Two modules may have handlers of the same name: the bare name is then ambiguous.
TEST(Handlers, TheSameNameInTwoModulesIsAmbiguous) {
  World world;
  for (const std::string name : {"one", "two"}) {
    world.add_module(name + ".ko", hyp_module(name));
    world.on_init(name, "__kvm_nvhe_hyp_init", {"__kvm_nvhe_hyp_add"});
  }
  ASSERT_EQ(world.boot().load_protected_modules("one,two"), 0);
  EXPECT_TRUE(world.loader->find_handler("hyp_add").ambiguous);
  EXPECT_EQ(world.loader->find_handler("two/hyp_add").handler->number, 129U);
  EXPECT_FALSE(world.loader->find_handler("two/hyp_add").ambiguous);
  // The second module's addresses follow the first's.
  EXPECT_GT(world.loader->find_module("two")->hyp.token,
            world.loader->find_module("one")->hyp.token);
}

// The samples' own EL2 halves load: sections, relocations and init of what the builder makes.
TEST(Samples, HelloAndCounterLoad) {
  for (const auto& [name, init, handler] :
       {std::tuple{"hello", "__kvm_nvhe_hello_hyp_init", "__kvm_nvhe_hello_hvc"},
        std::tuple{"counter", "__kvm_nvhe_counter_hyp_init", "__kvm_nvhe_counter_hvc"}}) {
    auto file = read_file(samples_directory() + "/" + name + ".ko");
    ASSERT_TRUE(file) << file.error().message;
    World world;
    world.add_module(std::string(name) + ".ko", *file);
    world.on_init(name, init, {handler});
    world.kernel.resolve_all_from = FakeKernel::module_window - 0x8'0000;
    ASSERT_EQ(world.boot().modprobe(name, LoadKind::protected_list), 0)
        << world.kernel.events.back().text;
    const Module& module = *world.loader->find_module(name);
    EXPECT_TRUE(module.hyp.loaded);
    EXPECT_EQ(module.hyp.struct_offset, 984U);
    EXPECT_THAT(world.kernel.hyp.complaints, IsEmpty());
    EXPECT_NE(world.loader->find_handler(image::without_hyp_prefix(handler)).handler, nullptr);
    // Every word that .hyp.reloc names points into the image at its EL2 address.
    for (std::uint32_t i = 0; i < module.hyp.reloc_count; ++i) {
      const KernVa element = module.hyp.relocs + i * 4;
      std::int32_t distance = 0;
      std::memcpy(&distance, module.bytes_at(element, 4).data(), 4);
      std::uint64_t word = 0;
      std::memcpy(
          &word,
          module.bytes_at(element + static_cast<std::uint64_t>(std::int64_t{distance}), 8).data(),
          8);
      EXPECT_TRUE(module.hyp.contains(HypVa{word})) << name << " slot " << i;
    }
  }
}

}  // namespace
}  // namespace pkvmemu::kmod::test
