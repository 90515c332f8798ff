// SPDX-License-Identifier: GPL-2.0-only
// Calls between the EL2 halves of modules over a fake hypervisor (pkvm-abi.md 2.7): each refusal,
// beside the import that differs from it in one thing and works.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "harness/conformance_row.h"
#include "linked_module.h"
#include "pkvm/quirk.h"
#include "support/bits.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using pkvmemu::test::HeldOn;
using pkvmemu::test::holds;

using pkvm::Generation;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto latest = Generation::android16_6_12;
constexpr std::uint64_t instruction = 4;

/// An EL2 half of one page. `text` and `data` are its first instructions and data, `tables` other
/// sections.
struct Half {
  std::string_view text;
  std::string_view data = "";
  std::string_view tables = "";
};

Bytes half(std::string_view name, const Half& half, Generation generation) {
  constexpr std::string_view body = R"(
    .section .init.text, "ax"
    init_module: ret

    .section .hyp.text, "ax"
    .balign 4096
  .Lhyp_text:
    {}
    .type __kvm_nvhe_hyp_init, %function
    __kvm_nvhe_hyp_init: ret
    .skip 4096 - (. - .Lhyp_text)

    .section .hyp.data, "aw"
    .balign 4096
  .Lhyp_data:
    {}
    .skip 4096 - (. - .Lhyp_data)
    .section .hyp.reloc, "a"
    {}
)";
  return compile_module(fmt::format(body, half.text, half.data, half.tables), name, generation);
}

constexpr std::string_view exports_lib_add =
    "__ksymtab___kvm_nvhe_lib_add: .word 0\n .globl __ksymtab___kvm_nvhe_lib_add\n";
/// Its function lies behind the first byte.
constexpr Half library{.text = "nop\n __kvm_nvhe_lib_add: ret\n", .tables = exports_lib_add};
constexpr Half caller{.text = "nop\n nop\n bl __kvm_nvhe_lib_add\n"};
constexpr std::uint64_t call_offset = 2 * instruction;

class El2Imports : public testing::Test {
 protected:
  explicit El2Imports(Generation generation = latest)
      : generation_(generation), world(generation) {}

  void add(std::string_view name, const Half& what, std::string_view dependencies = {}) {
    world.add_module(fmt::format("{}.ko", name), half(name, what, generation_), dependencies);
    world.on_init(name, "__kvm_nvhe_hyp_init", {});
  }
  /// The library, then its user.
  int load(const Half& library_half = library, const Half& user = caller) {
    add("library", library_half);
    add("user", user, "library.ko");
    return world.boot().modprobe("user", LoadKind::protected_list);
  }
  std::uint64_t hyp_address(std::string_view module, std::uint64_t offset) {
    const Module& own = *world.loader->find_module(module);
    const HypRange& text = own.hyp.parts[static_cast<std::size_t>(HypPart::text)];
    return own.hyp.hyp_address(text.start + offset).value;
  }
  /// Where the instruction of a module's EL2 text branches to, at EL2.
  std::uint64_t called_from(std::string_view module, std::uint64_t offset) {
    const Module& own = *world.loader->find_module(module);
    const HypRange& text = own.hyp.parts[static_cast<std::size_t>(HypPart::text)];
    std::uint32_t code = 0;
    std::memcpy(&code, own.bytes_at(text.start + offset, sizeof(code)).data(), sizeof(code));
    return hyp_address(module, offset) +
           static_cast<std::uint64_t>(sign_extend(code & 0x3ff'ffff, 26) * 4);
  }
  std::string last_words() { return world.kernel.events.back().text; }
  std::int64_t last_status() {
    return static_cast<std::int64_t>(world.kernel.events.back().value[0]);
  }
  std::vector<std::uint64_t> defects() {
    std::vector<std::uint64_t> met;
    for (const auto& record : world.kernel.events)
      if (record.kind == pkvm::event::Kind::quirk &&
          std::string_view(record.name) == "failed-import-is-ignored")
        met.push_back(record.value[0]);
    return met;
  }

 private:
  Generation generation_;

 protected:
  World world;
};

// The call leads to the exporter's function by the distance that both have at EL2, although their
// distance in the kernel is another one; nothing else of the text changes.
TEST_F(El2Imports, ACallReachesTheOtherModulesFunction) {
  ASSERT_EQ(load(), 0) << last_words();
  EXPECT_EQ(called_from("user", call_offset), hyp_address("library", instruction));
  const Module& user = *world.loader->find_module("user");
  const HypRange& text = user.hyp.parts[static_cast<std::size_t>(HypPart::text)];
  std::array<std::uint32_t, 4> code{};
  std::memcpy(code.data(), user.bytes_at(text.start, sizeof(code)).data(), sizeof(code));
  EXPECT_EQ(code[0], 0xd503'201fU);
  EXPECT_EQ(code[1], 0xd503'201fU);
  EXPECT_EQ(code[3], 0xd65f'03c0U);
  EXPECT_EQ(code[2] >> 26U, 0x25U) << "still a BL";
  holds("2.7/call", latest, HeldOn::machine);
}

// Two calls, the second one in the other half of its word, each get their own distance.
TEST_F(El2Imports, EveryCallIsMade) {
  ASSERT_EQ(load(library, {.text = "bl __kvm_nvhe_lib_add\n bl __kvm_nvhe_lib_add\n"}), 0);
  EXPECT_EQ(called_from("user", 0), hyp_address("library", instruction));
  EXPECT_EQ(called_from("user", instruction), hyp_address("library", instruction));
}

// Without EXPORT_SYMBOL at EL1 the ordinary linker does not know the name.
TEST_F(El2Imports, WithoutAnExportTheSymbolIsUnknown) {
  EXPECT_EQ(load({.text = library.text}), ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -2);
  EXPECT_THAT(last_words(), HasSubstr("Unknown symbol __kvm_nvhe_lib_add"));
  holds("2.6/unknown_el2_symbol", latest, HeldOn::machine);
}

// An exporter whose EL2 half has not been loaded is none: -EINVAL, and the hypervisor has nothing.
TEST_F(El2Imports, TheExporterMustBeAtEl2) {
  add("user", caller, "library.ko");
  world.add_module("library.ko", half("library", library, latest));
  EXPECT_EQ(world.boot().modprobe("user", LoadKind::protected_list), ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -22);
  EXPECT_THAT(last_words(), HasSubstr("calls lib_add, which no EL2 half that is loaded has"));
  EXPECT_THAT(world.kernel.hyp.owned_frames, IsEmpty());
  EXPECT_EQ(world.loader->find_module("user"), nullptr);
  holds("2.7/exporter_loaded", latest, HeldOn::machine);
}

// The function at the very first byte of the exporter's text is refused.
TEST_F(El2Imports, TheFirstByteIsRefused) {
  EXPECT_EQ(load({.text = "__kvm_nvhe_lib_add: ret\n", .tables = exports_lib_add}),
            ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -22);
  EXPECT_THAT(last_words(), HasSubstr("does not lie in another module's .hyp.text"));
  holds("2.7/first_byte", latest, HeldOn::machine);
}

// What lies in the exporter's data is refused.
TEST_F(El2Imports, DataIsRefused) {
  EXPECT_EQ(load({.text = "nop\n", .data = "__kvm_nvhe_lib_add: ret\n", .tables = exports_lib_add}),
            ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -22);
  EXPECT_THAT(last_words(), HasSubstr("does not lie in another module's .hyp.text"));
  holds("2.7/text_only", latest, HeldOn::machine);
}

// A jump is no call: refused with the relocation's number and place, before anything is loaded.
TEST_F(El2Imports, AJumpIsRefused) {
  EXPECT_EQ(load(library, {.text = "nop\n b __kvm_nvhe_lib_add\n"}), ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -22);
  EXPECT_THAT(last_words(), HasSubstr(".hyp.text+0x4 uses lib_add"));
  EXPECT_THAT(last_words(), HasSubstr("relocation 282"));
  EXPECT_THAT(defects(), testing::ElementsAre(0));
  holds("2.7/calls_only", latest, HeldOn::machine);
}

// As shipped, the same is told and loaded; the defect is named.
TEST_F(El2Imports, AsShippedAJumpIsIgnored) {
  world.defects = pkvm::Defects::reproduced;
  EXPECT_EQ(load(library, {.text = "nop\n b __kvm_nvhe_lib_add\n"}), 0);
  EXPECT_THAT(defects(), testing::ElementsAre(1));
  EXPECT_THAT(world.kernel.console, Contains(HasSubstr("relocation 282")));
  holds("2.7/calls_only.shipped", latest, HeldOn::machine);
}

/// The exporter lies `distance` above (below, when negative) its user at EL2.
class El2Distances : public El2Imports {
 protected:
  int load_at(std::int64_t distance) {
    constexpr auto where = pkvm::Hypercall::pkvm_alloc_module_va;
    const std::uint64_t user = FakeHyp::first_va + 0x4000'0000;
    world.kernel.hyp.scripted[{where, 1}] = {0, user + static_cast<std::uint64_t>(distance), 0, 0};
    world.kernel.hyp.scripted[{where, 2}] = {0, user, 0, 0};
    return load();
  }
  /// From the call to the function, when both texts begin at the same address.
  static constexpr std::int64_t own = std::int64_t{instruction} - std::int64_t{call_offset};
  static constexpr std::int64_t reach = std::int64_t{1} << 27;
};

// A call reaches 128 MiB: pages beyond are refused with the distance.
TEST_F(El2Distances, BeyondTheReachIsRefused) {
  EXPECT_EQ(load_at(-reach), ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -22);
  EXPECT_THAT(last_words(),
              HasSubstr(fmt::format("does not reach lib_add, {} bytes", -reach + own)));
}

// The last page within is not.
TEST_F(El2Distances, WithinTheReachIsMade) {
  ASSERT_EQ(load_at(-reach + 4096), 0) << last_words();
  EXPECT_EQ(called_from("user", call_offset), hyp_address("library", instruction));
  holds("2.7/reach", latest, HeldOn::machine);
}

// Forwards is as good as backwards, as later kernels have it.
TEST_F(El2Distances, ForwardsIsMade) {
  ASSERT_EQ(load_at(0x10000), 0) << last_words();
  EXPECT_EQ(called_from("user", call_offset), hyp_address("library", instruction));
}

// 6.12.23 as shipped does not count forwards: it tells, leaves the call, and loads the module.
TEST_F(El2Distances, AsShippedForwardsIsIgnored) {
  world.defects = pkvm::Defects::reproduced;
  ASSERT_EQ(load_at(0x10000), 0) << last_words();
  EXPECT_NE(called_from("user", call_offset), hyp_address("library", instruction));
  EXPECT_THAT(defects(), testing::ElementsAre(1));
  holds("2.7/backwards", latest, HeldOn::machine);
}

class EarlierEl2Imports : public El2Imports, public testing::WithParamInterface<Generation> {
 protected:
  EarlierEl2Imports() : El2Imports(GetParam()) {}
};

// Before 6.12 an EL2 half cannot use another's, whoever exports it.
TEST_P(EarlierEl2Imports, AreUnknown) {
  EXPECT_EQ(load(), ModuleLoader::modprobe_failed);
  EXPECT_EQ(last_status(), -2);
  EXPECT_THAT(last_words(), HasSubstr("Unknown symbol __kvm_nvhe_lib_add"));
  holds("2.6/unknown_el2_symbol", GetParam(), HeldOn::machine);
}

// EL1 code may use what another module exports, whatever its name is.
TEST_P(EarlierEl2Imports, El1CodeMayReadAnExport) {
  EXPECT_EQ(load(library, {.text = "nop\n", .tables = ".data\n .quad __kvm_nvhe_lib_add\n"}), 0);
}

INSTANTIATE_TEST_SUITE_P(, EarlierEl2Imports,
                         testing::Values(Generation::android14_6_1, Generation::android15_6_6));

}  // namespace
}  // namespace pkvmemu::kmod::test
