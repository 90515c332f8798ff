// SPDX-License-Identifier: GPL-2.0-only
// What modprobe hands to a module beside its dependencies: parameters from modprobe.d, Android's
// modules.options and the kernel command line; soft dependencies; lists that refuse or do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/module/arguments.h"
#include "linked_module.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int failed = ModuleLoader::modprobe_failed;

/// A module with the parameters "count" (argument 0x10) and "my-name" (0x20).
Bytes module_with_parameters(std::string_view name) {
  return compile_module(R"(
    nop
    .section .rodata.str, "a"
  .Lcount: .asciz "count"
  .Lname: .asciz "my_name"
    .section __param, "a"
    .balign 8
    .quad .Lcount, 0, 0, 0, 0x10
    .quad .Lname, 0, 0, 0, 0x20
  )",
                        name);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (const auto argument = take_argument(text))
    words.push_back(std::string(argument->name) + "|" + std::string(argument->value.value_or("-")));
  return words;
}

// Blanks separate, quotes protect them, an unclosed quote ends with the text.
TEST(Arguments, WordsAndQuotes) {
  EXPECT_THAT(words_of("  a  b=1\tc=\"x y\" \"d=p q\" e= f=\"open z\n"),
              ElementsAre("a|-", "b|1", "c|x y", "d|p q", "e|", "f|open z\n"));
  EXPECT_THAT(words_of(" \n "), IsEmpty());
}

// Every source of options counts, the kernel command line last; '-' and '_' are equal throughout.
TEST(Parameters, ComeFromOptionsFilesAndCommandLine) {
  World world;
  world.add_module("my-test.ko", module_with_parameters("my_test"));
  world.add_file("lib/modules/6.6.77/modules.options", "options my_test count=1\n");
  world.add_file("etc/modprobe.d/b.conf", "# a comment\noptions my-test count=3 my-name=b\n");
  world.add_file("etc/modprobe.d/a.conf", "options my_test count=2\noptions other count=9\n");
  world.add_file("etc/modprobe.d/a.txt", "options my_test count=8\n");
  world.command_line =
      "quiet my-test.count=4 other.count=7 \"my_test.my_name=x y\" -- my_test.count=5";
  EXPECT_EQ(world.boot().modprobe("my_test", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.parameters,
              ElementsAre("0x10=1", "0x10=2", "0x10=3", "0x20=b", "0x10=4", "0x20=x y"));
  EXPECT_THAT(world.kernel.console, IsEmpty());
}

// A parameter without a value reaches its setter as such.
TEST(Parameters, AValueMayBeMissing) {
  World world;
  world.add_module("test.ko", module_with_parameters("test"));
  world.command_line = "test.count";
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.parameters, ElementsAre("0x10"));
}

// An unknown parameter is a warning; the module loads.
TEST(Parameters, AnUnknownOneIsIgnoredWithAMessage) {
  World world;
  world.add_module("test.ko", module_with_parameters("test"));
  world.command_line = "test.cuont=4 test.count=5";
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.console, ElementsAre("test: unknown parameter 'cuont' ignored"));
  EXPECT_THAT(world.kernel.parameters, ElementsAre("0x10=5"));
}

// A value that the parameter refuses ends the load before init, with the parameter's error.
TEST(Parameters, ARefusedValueEndsTheLoad) {
  World world;
  world.add_module("test.ko", module_with_parameters("test"));
  world.command_line = "test.count=many";
  world.kernel.parameter_answer = -22;
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), failed);
  EXPECT_THAT(world.kernel.console, ElementsAre("test: `many' invalid for parameter `count'"));
  EXPECT_THAT(world.kernel.inits, IsEmpty());
  EXPECT_EQ(world.kernel.live_areas(), 0U);
  EXPECT_EQ(static_cast<std::int64_t>(world.kernel.events.back().value[0]), -22);
}

// Values and argument lists have the kernel's limits, and going over them is an error of its own.
TEST(Parameters, TooLongIsAnError) {
  World world;
  world.add_module("test.ko", module_with_parameters("test"));
  world.command_line = "test.count=" + std::string(1025, '1');
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), failed);
  EXPECT_EQ(static_cast<std::int64_t>(world.kernel.events.back().value[0]), -28);
  world.command_line = "test.count=1 test.my_name=" + std::string(4096, '1');
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), failed);
  EXPECT_EQ(static_cast<std::int64_t>(world.kernel.events.back().value[0]), -7);
  world.command_line = "test.count=" + std::string(1024, '1');
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), 0);
}

// insmod takes no configuration, as insmod does not.
TEST(Parameters, InsmodTakesNone) {
  World world;
  world.add_module("test.ko", module_with_parameters("test"));
  world.command_line = "test.count=4";
  EXPECT_EQ(world.boot().insmod("lib/modules/6.6.77/test.ko", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.parameters, IsEmpty());
}

// Soft dependencies load before and after; absent ones are passed over without a word.
TEST(SoftDependencies, LoadAroundTheModule) {
  World world;
  for (const std::string name : {"before", "test", "after"})
    world.add_module(name + ".ko", compile_module("nop", name));
  world.add_file("lib/modules/6.6.77/modules.softdep",
                 "softdep test pre: absent before post: after\n");
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.event_lines(),
              ElementsAre("begin before", "file before", "end before", "begin test", "file test",
                          "end test", "begin after", "file after", "end after"));
}

// One that fails is told, and the module loads all the same.
TEST(SoftDependencies, MayFail) {
  World world;
  world.add_module("before.ko", compile_module("bl missing", "before"));
  world.add_module("test.ko", compile_module("nop", "test"));
  world.add_file("etc/modprobe.d/test.conf", "softdep test pre: before\n");
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.console, ElementsAre("before: Unknown symbol missing (err -2)"));
}

// Soft dependencies that lead back end there.
TEST(SoftDependencies, MayBeCyclic) {
  World world;
  for (const std::string name : {"a", "b"})
    world.add_module(name + ".ko", compile_module("nop", name));
  world.add_file("etc/modprobe.d/test.conf", "softdep a pre: b\nsoftdep b pre: a post: b\n");
  EXPECT_EQ(world.boot().modprobe("a", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.inits.size() + world.kernel.events.size(), 6U);
  EXPECT_NE(world.loader->find_module("b"), nullptr);
}

// A cyclic modules.dep is an error that names both ends; a closed one without cycle is not.
TEST(ModulesDep, ACycleIsAnError) {
  for (const std::string_view loop : {"a.ko: b.ko\nb.ko: a.ko\n", "a.ko: b.ko a.ko\nb.ko:\n",
                                      "a.ko: b.ko c.ko a.ko\nb.ko: c.ko a.ko b.ko\n"}) {
    World world;
    world.add_file("lib/modules/6.6.77/a.ko", "");
    world.add_file("lib/modules/6.6.77/modules.dep", loop);
    EXPECT_EQ(world.boot().modprobe("a", LoadKind::late), failed);
    EXPECT_THAT(world.kernel.events.back().text, HasSubstr("modules.dep is cyclic: a needs"));
    EXPECT_EQ(static_cast<std::int64_t>(world.kernel.events.back().value[0]), -40);
  }
}

// A dependency that modules.dep forgot shows as its missing symbol.
TEST(ModulesDep, AForgottenDependencyIsAnUnknownSymbol) {
  World world;
  world.add_module("user.ko", compile_module("bl shared", "user"));
  world.add_module("owner.ko", compile_module(R"(
    .globl shared
    shared: nop
    .section __ksymtab, "a"
    __ksymtab_shared: .word shared - ., .Lname - ., 0
    .section __ksymtab_strings, "a"
    .Lname: .asciz "shared"
  )",
                                              "owner"));
  EXPECT_EQ(world.boot().modprobe("user", LoadKind::late), failed);
  EXPECT_THAT(world.kernel.console, ElementsAre("user: Unknown symbol shared (err -2)"));
  EXPECT_EQ(world.loader->modprobe("owner", LoadKind::late), 0);
  EXPECT_EQ(world.loader->modprobe("user", LoadKind::late), 0);
}

// Files that say nothing about this do not disturb: modules.load, modules.alias, blocklists, which
// do not stop a load by name.
TEST(Modprobe, ToleratesWhatItDoesNotUse) {
  World world;
  world.add_module("test.ko", compile_module("nop", "test"));
  world.add_file("lib/modules/6.6.77/modules.load", "other.ko\n");
  world.add_file("lib/modules/6.6.77/modules.alias", "alias of:N*T*Cvendor,test test\n");
  world.add_file("lib/modules/6.6.77/modules.blocklist", "blocklist test\n");
  world.add_file("etc/modprobe.d/block.conf", "blacklist test\nblocklist\noptions\nsoftdep\n");
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::protected_list), 0);
  EXPECT_THAT(world.kernel.console, IsEmpty());
}

// module_blacklist= on the kernel command line refuses the module by its own name, with -EPERM.
TEST(Modprobe, TheKernelsBlacklistRefuses) {
  World world;
  world.add_module("my-test.ko", compile_module("nop", "my_test"));
  world.add_module("free.ko", compile_module("nop", "free"));
  world.command_line = "module_blacklist=other,my-test";
  EXPECT_EQ(world.boot().modprobe("my_test", LoadKind::late), failed);
  EXPECT_EQ(world.loader->insmod("lib/modules/6.6.77/my-test.ko", LoadKind::late), -1);
  EXPECT_EQ(world.loader->modprobe("free", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.console, Contains(HasSubstr("module_blacklist=")));
}

// All missing symbols are named, each once per symbol table entry; weak ones are not missing.
TEST(Unresolved, AllAreNamedAtOnce) {
  World world;
  world.add_module("test.ko",
                   compile_module("bl first\n bl second\n bl third\n .weak fourth\n bl fourth\n"
                                  "bl first",
                                  "test"));
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), failed);
  EXPECT_THAT(world.kernel.console, ElementsAre("test: Unknown symbol first (err -2)",
                                                "test: Unknown symbol second (err -2)",
                                                "test: Unknown symbol third (err -2)"));
  EXPECT_STREQ(world.kernel.events.back().text, "Unknown symbol first and 2 more");
  EXPECT_EQ(world.kernel.live_areas(), 0U);
}

// With stubs every one of them is bound, told and recorded; the module loads.
TEST(Unresolved, StubsTakeTheirPlace) {
  World world;
  world.add_module("test.ko", compile_module(".quad first, second", "test"));
  world.kernel.stubs_from = FakeKernel::module_window + 0x10'0000;
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), 0);
  EXPECT_THAT(world.kernel.stubs, ElementsAre("first", "second"));
  EXPECT_THAT(world.kernel.console,
              ElementsAre("test: Unknown symbol first: bound to a stub that answers 0",
                          "test: Unknown symbol second: bound to a stub that answers 0"));
  EXPECT_THAT(world.kernel.event_lines(), ElementsAre("begin test", "file test", "unresolved test",
                                                      "unresolved test", "end test"));
}

// EL2 code gets no stub: it could not call one.
TEST(Unresolved, SymbolsOfEl2AreNeverStubbed) {
  World world;
  world.add_module("test.ko", compile_module(".quad first, __kvm_nvhe_second", "test"));
  world.kernel.stubs_from = FakeKernel::module_window + 0x10'0000;
  EXPECT_EQ(world.boot().modprobe("test", LoadKind::late), failed);
  EXPECT_THAT(world.kernel.stubs, ElementsAre("first"));
  EXPECT_STREQ(world.kernel.events.back().text, "Unknown symbol __kvm_nvhe_second");
}

// An EL1 init that fails after its EL2 half was loaded leaves that half with EL2, and the record
// with it: the pages may not be used again (pkvm-abi.md 3.6).
TEST(El1Init, MayFailAfterAGoodEl2Load) {
  World world;
  world.add_module("test.ko", hyp_module("test"));
  world.boot();
  world.kernel.init = [&](KernVa address) {
    auto& module = const_cast<Module&>(*world.loader->module_at(address));
    EXPECT_EQ(world.load_and_register(module, "__kvm_nvhe_hyp_init", {"__kvm_nvhe_hyp_add"}), 0);
    return -5;
  };
  EXPECT_EQ(world.loader->modprobe("test", LoadKind::protected_list), failed);
  const Module* kept = world.loader->find_module("test");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->state, ModuleState::failed);
  EXPECT_TRUE(kept->hyp.loaded);
  EXPECT_EQ(kept->references, 1);
  EXPECT_EQ(world.kernel.hyp.owned_frames.size(), 4U);
  EXPECT_STREQ(world.kernel.events.back().text,
               "init returned -5 (EIO); its EL2 half was loaded before and stays with EL2");
}

}  // namespace
}  // namespace pkvmemu::kmod::test
