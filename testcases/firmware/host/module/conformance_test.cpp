// SPDX-License-Identifier: GPL-2.0-only
// Rows of pkvm-abi.md 2.4 to 2.6, 3.2, 3.6 and 6.2 that only a kernel with a window shows:
// addresses out of reach, reference counts, pointers that no build makes. Each on every generation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "harness/conformance_row.h"
#include "harness/generation_printer.h"
#include "linked_module.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;
using pkvmemu::test::HeldOn;
using testing::Contains;
using testing::IsEmpty;

constexpr std::uint64_t page = 4096;
constexpr auto eperm = static_cast<std::uint64_t>(-1);

class Rows : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static Generation id() { return GetParam().id; }
  static void holds(std::string_view row) { pkvmemu::test::holds(row, id(), HeldOn::machine); }

  /// A world with `body` as module "test", whose EL1 init loads the EL2 half and goes on living.
  void boot(const Bytes& file) {
    world.add_module("test.ko", file);
    ModuleLoader& loader = world.boot();
    world.kernel.init = [this, &loader](KernVa address) {
      Module& module = const_cast<Module&>(*loader.module_at(address));
      const auto init = module.symbol_address("__kvm_nvhe_hyp_init");
      const auto& layout = GetParam().module;
      if (init)
        std::memcpy(module.this_module_bytes().data() + layout.arch_hyp + layout.hyp_init,
                    &init->value, sizeof(init->value));
      status = loader.load_el2_module(module.this_module(), KernVa{World::token_address});
      return 0;
    };
    result = loader.modprobe("test", LoadKind::protected_list);
  }
  const Module& module() { return *world.loader->find_module("test"); }
  std::uint64_t word(std::string_view section, std::uint64_t offset) {
    const std::uint64_t base =
        module().sections[module().file.elf().find_section(section)->index].address;
    std::uint64_t value = 0;
    std::memcpy(&value, module().bytes_at(KernVa{base + offset}, 8).data(), sizeof(value));
    return value;
  }

  World world{id()};
  int status = -1;  ///< of the EL2 load
  int result = -1;  ///< of modprobe
};
INSTANTIATE_TEST_SUITE_P(Generations, Rows, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

/// EL2 code of one page, one of data with `data` in it, and `reloc` as the table of relocations.
std::string body_with(std::string_view data, std::string_view reloc) {
  return std::string(R"(
    .section .init.text, "ax"
    init_module: ret
    .data
    el1_data: .quad 0x1111
    .section .hyp.text, "ax"
    .balign 4096
    __kvm_nvhe_hyp_init: nop
    .skip 4092
    .section .hyp.data, "aw"
    .balign 4096
    hyp_data:
)") + std::string(data) +
         "\n.skip 4096 - (. - hyp_data)\n.section .hyp.reloc, \"a\"\n" + std::string(reloc) + "\n";
}

// Nothing is checked when .hyp.reloc is applied: a pointer to an EL1 symbol moves like any other,
// and so does a slot in EL1's data.
TEST_P(Rows, RelocationsAreNotChecked) {
  holds("2.5/no_checks");
  boot(compile_module(body_with(".quad el1_data", ".word hyp_data - .\n.word el1_data - ."), "test",
                      id()));
  ASSERT_EQ(status, 0);
  const std::uint64_t distance = module().hyp.token.value - module().hyp.start.value;
  const auto data = module().file.elf().find_section(".data");
  EXPECT_EQ(word(".hyp.data", 0), module().sections[data->index].address + distance);
  EXPECT_EQ(word(".data", 0), 0x1111 + distance);
}

// A module whose struct module has another size, as production files have: arch.hyp is where one
// word points into .hyp.text, minus init's place in the struct.
TEST_P(Rows, ForeignLayoutsAreFoundByTheirInit) {
  holds("2.4/foreign_layout");
  const pkvm::ModuleLayout& layout = GetParam().module;
  constexpr std::uint64_t arch_hyp = 1000;
  const std::string frame =
      fmt::format(R"(
    .section .modinfo, "a"
    .asciz "vermagic={} SMP preempt"
    .asciz "name=test"
    .section .gnu.linkonce.this_module, "aw"
  .Lmodule:
    .skip 24
    .asciz "test"
    .org .Lmodule + 400
    .quad init_module
    .org .Lmodule + {} + {}
    .quad __kvm_nvhe_hyp_init
    .org .Lmodule + {}
)",
                  GetParam().kernel_release, arch_hyp, layout.hyp_init, layout.size + 128);
  world.add_module("test.ko", compile(frame + body_with(".quad 0", "")));
  ModuleLoader& loader = world.boot();
  world.kernel.init = [&](KernVa address) {
    status = loader.load_el2_module(loader.module_at(address)->this_module(), KernVa{});
    return status;
  };
  ASSERT_EQ(loader.modprobe("test", LoadKind::protected_list), 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(module().hyp.struct_offset, arch_hyp);
  EXPECT_EQ(world.kernel.hyp.calls.size(), 4U + (id() == Generation::android16_6_12 ? 2U : 0U));
}

// References: none after a refusal before step 3, none left behind by a failing step, one for ever
// after a good load.
TEST_P(Rows, ReferencesAreKeptByGoodLoadsAlone) {
  for (const std::string_view row :
       {"3.2/17.reference", "3.4/references", "3.6/5.reference", "3.6/12.reference"})
    holds(row);
  struct Case {
    std::string_view what;
    std::function<void(FakeKernel&)> fault;
    int status;
    int references;
  };
  const std::array cases = {
      Case{"good", [](FakeKernel&) {}, 0, 1},
      Case{"finalised", [](FakeKernel& kernel) { kernel.phase = HypPhase::finalised; }, -95, 0},
      Case{"no address",
           [](FakeKernel& kernel) {
             kernel.hyp.scripted[{Hypercall::pkvm_alloc_module_va, 1}] = {0, 0, 0, 0};
           },
           -12, 0},
      Case{"page refused",
           [](FakeKernel& kernel) {
             kernel.hyp.scripted[{Hypercall::pkvm_map_module_page, 2}] = {0, eperm, 0, 0};
           },
           -1, 0},
      Case{"init fails", [](FakeKernel& kernel) { kernel.hyp.init_result = -22; }, -22, 0},
  };
  for (const Case& each : cases) {
    World fresh(id());
    fresh.add_module("test.ko", hyp_module("test", id()));
    ModuleLoader& loader = fresh.boot();
    int answer = 0;
    fresh.kernel.init = [&](KernVa address) {
      Module& module = const_cast<Module&>(*loader.module_at(address));
      answer = fresh.load_and_register(module, "__kvm_nvhe_hyp_init", {});
      return 0;
    };
    each.fault(fresh.kernel);
    ASSERT_EQ(loader.modprobe("test", LoadKind::protected_list), 0) << each.what;
    EXPECT_EQ(answer, each.status) << each.what;
    EXPECT_EQ(loader.find_module("test")->references, each.references) << each.what;
  }
}

// Step 5 asks for the whole span in pages; step 12 gives the pages of each section in the order of
// their addresses, each at its distance from the lowest.
TEST_P(Rows, CallsCoverTheSpan) {
  holds("3.2/5");
  holds("3.2/12.order");
  boot(hyp_module("test", id()));
  ASSERT_EQ(status, 0);
  const std::uint64_t start = module().hyp.start.value;
  std::uint64_t last = 0;
  std::size_t mapped = 0;
  for (const Call& call : world.kernel.hyp.calls) {
    if (call.call == Hypercall::pkvm_alloc_module_va) {
      EXPECT_EQ(call.arguments[0] * page, module().hyp.end - module().hyp.start);
    }
    if (call.call != Hypercall::pkvm_map_module_page) continue;
    ++mapped;
    EXPECT_GT(call.arguments[1], last);
    last = call.arguments[1];
    const std::uint64_t kernel = start + (call.arguments[1] - module().hyp.token.value);
    EXPECT_EQ(call.arguments[0], world.kernel.frame_of(KernVa{kernel})->value);
  }
  EXPECT_EQ(mapped, 4U) << "empty sections have no pages";
}

// An EL2 symbol that nobody defines is as unknown as any other, and the load ends.
TEST_P(Rows, UnknownSymbolsEndTheLoad) {
  holds("2.6/unknown_symbol");
  if (id() != Generation::android16_6_12) holds("2.6/unknown_el2_symbol");
  for (const std::string name : {"__kvm_nvhe_nobody", "nobody"}) {
    World fresh(id());
    fresh.add_module("test.ko", compile_module(".section .hyp.text, \"ax\"\n.balign 4096\nbl " +
                                                   name + "\n.section .hyp.reloc, \"a\"\n",
                                               "test", id()));
    EXPECT_EQ(fresh.boot().modprobe("test", LoadKind::protected_list), 256);
    EXPECT_THAT(fresh.kernel.console, Contains("test: Unknown symbol " + name + " (err -2)"));
    EXPECT_THAT(fresh.kernel.hyp.calls, IsEmpty());
  }
}

// Ordinary relocations come out as the linker makes them; what does not fit is refused.
TEST_P(Rows, RelocationIsOrdinary) {
  holds("2.6/relocation");
  LinkedModule linked(compile_module(
      body_with(
          ".quad hyp_data + 8\n.word hyp_data - .\n.word 0",
          ".word hyp_data - .\n.section .hyp.text, \"ax\"\nadrp x0, hyp_data\nadd x0, x0, "
          ":lo12:hyp_data\nldr x1, [x0, :lo12:hyp_data]\nbl __kvm_nvhe_hyp_init\n.skip 4096 - 16"),
      "test", id()));
  ASSERT_TRUE(linked.link(id()));
  expect_same_as_lld(linked);

  LinkedModule far(compile_module("adrp x0, printk\n", "test", id()));
  far.kernel.exports["printk"] = FakeKernel::module_window - 0x2'0000'0000;
  const auto refused = far.link(id());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, -8);
}

// A branch out of reach goes through three instructions in the module's own text.
TEST_P(Rows, FarBranchesGoThroughThePlt) {
  holds("2.6/plt");
  LinkedModule linked(compile_module("bl printk\n", "test", id()));
  linked.kernel.exports["printk"] = FakeKernel::module_window - 0x2000'0000;
  ASSERT_TRUE(linked.link(id()));
  EXPECT_EQ(linked.module.plt.used, 12U);
  const auto code = linked.module.plt.bytes;
  std::array<std::uint32_t, 3> words{};
  std::memcpy(words.data(), code.data(), sizeof(words));
  EXPECT_EQ(words[0] & 0x9f00'001fU, 0x9000'0010U) << "adrp x16";
  EXPECT_EQ(words[1] & 0xffc0'03ffU, 0x9100'0210U) << "add x16, x16";
  EXPECT_EQ(words[2], 0xd61f'0200U) << "br x16";
}

// A site of .altinstructions in EL2 code keeps its own instruction, the choice for a CPU without
// the feature; the record of 12 bytes is relocated like any data.
TEST_P(Rows, AlternativesStayAsTheyAre) {
  holds("2.6/alternatives");
  LinkedModule linked(compile_module(R"(
    .section .hyp.text, "ax"
    .balign 4096
    site: ldr x0, [x1]
    .skip 4092
    .section .altinstr_replacement, "ax"
    instead: ldar x0, [x1]
    .section .altinstructions, "a"
    .word site - .
    .word instead - .
    .hword 0x4d
    .byte 4, 4
    .section .hyp.reloc, "a"
)",
                                     "test", id()));
  ASSERT_TRUE(linked.link(id()));
  EXPECT_EQ(linked.word(".hyp.text", 0), 0xf940'0020U) << "ldr x0, [x1]";
  const auto distance = static_cast<std::int32_t>(linked.word(".altinstructions", 0));
  EXPECT_EQ(linked.section(".altinstructions").address + static_cast<std::uint64_t>(distance),
            linked.section(".hyp.text").address);
}

// The list is for protected mode before finalisation: otherwise -EACCES, and no helper is run.
TEST_P(Rows, TheListIsGuarded) {
  holds("6.2/guards");
  for (const HypPhase phase : {HypPhase::finalised, HypPhase::not_protected}) {
    World fresh(id());
    fresh.add_module("test.ko", hyp_module("test", id()));
    fresh.kernel.phase = phase;
    EXPECT_EQ(fresh.boot().load_protected_modules("test"), -13);
    EXPECT_THAT(fresh.kernel.events, IsEmpty());
  }
}

}  // namespace
}  // namespace pkvmemu::kmod::test
