// SPDX-License-Identifier: GPL-2.0-only
// The whole load, from archive to EL2, with the module's file changed at every byte. Whatever the
// answer, nothing may crash (the asan preset watches), memory of a refused module comes back, and
// the hypervisor gets no call that would bring a real one down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "host/module/hyp_image.h"
#include "linked_module.h"
#include "world.h"

namespace pkvmemu::kmod::test {
namespace {

using testing::IsEmpty;

/// The parts of hyp_module with as little filling as pages allow, and some relocations around them.
Bytes small_module() {
  return compile_module(R"(
    bl printk
    adrp x0, .Lmodule
    .section .init.text, "ax"
    init_module: b printk
    .section .hyp.text, "ax"
    .balign 4096
    __kvm_nvhe_hyp_init: nop
    bl __kvm_nvhe_hyp_init
    .section .hyp.data, "aw"
    .balign 4096
    .quad __kvm_nvhe_hyp_init
    .section .hyp.reloc, "a"
    .word .hyp.data - .
  )");
}

class Hostile : public testing::Test {
 protected:
  Hostile() {
    image::CpioWriter writer;
    if (!writer.add_file("test.ko", small_module())) throw std::runtime_error("cpio");
    archive_ = std::move(writer).finish();
    const auto entry = image::find_file(archive_, "test.ko");
    file_ = std::span(archive_).subspan(
        static_cast<std::size_t>((*entry)->data.data() - archive_.data()), (*entry)->data.size());
  }

  /// Loads the archive's module into a fresh kernel; its init loads the EL2 half whatever the file
  /// says about it, and registers a handler.
  int load() {
    kernel_ = std::make_unique<FakeKernel>();
    kernel_->exports["printk"] = FakeKernel::module_window + 0x2000'0000;
    ModuleLoader loader(*kernel_, {.generation = pkvm::Generation::android15_6_6,
                                   .release = "6.6.77",
                                   .vermagic = "6.6.77",
                                   .initramfs = archive_});
    kernel_->init = [&loader](KernVa address) {
      const Module* module = loader.module_at(address);
      if (module == nullptr) return -14;
      constexpr std::size_t init_field = 984 + 152;
      const auto own = module->this_module_bytes();
      const auto init = module->symbol_address("__kvm_nvhe_hyp_init");
      if (init && own.size() >= init_field + sizeof(init->value))
        std::memcpy(own.data() + init_field, &init->value, sizeof(init->value));
      const int status = loader.load_el2_module(module->this_module(), KernVa{});
      return status != 0 ? status : std::min(0, loader.register_el2_call(module->hyp.token));
    };
    const int status = loader.insmod("test.ko", LoadKind::late);
    for (const Module& module : loader.modules()) {
      if (module.state == ModuleState::free) continue;
      for (const KernVa address : {module.hyp.start, module.this_module()})
        (void)module.symbol_at(address);
    }
    return status;
  }

  Bytes archive_;
  std::span<std::byte> file_;
  std::unique_ptr<FakeKernel> kernel_;
};

// Unchanged, it loads: the changes below start from something good.
TEST_F(Hostile, TheFileIsGood) {
  EXPECT_EQ(load(), 0) << kernel_->events.back().text;
  EXPECT_EQ(kernel_->hyp.handlers.size(), 1U);
}

// Each byte that is not zero filling, in several values; zero filling at every 16th byte.
TEST_F(Hostile, AnyByteMayBeWrong) {
  std::size_t refused = 0;
  std::size_t loads = 0;
  for (std::size_t at = 0; at < file_.size(); ++at) {
    if (file_[at] == std::byte{0} && at % 16 != 0) continue;
    for (const unsigned value : {0x00U, 0x01U, 0x40U, 0x7fU, 0xffU}) {
      const std::byte old = file_[at];
      file_[at] = std::byte{static_cast<unsigned char>(value)};
      const int status = load();
      file_[at] = old;
      ++loads;
      if (status >= 0) continue;
      ++refused;
      ASSERT_EQ(kernel_->live_areas(), 0U) << "byte " << at << " as " << value << " leaks";
      ASSERT_THAT(kernel_->hyp.owned_frames, IsEmpty()) << "byte " << at << " as " << value;
      ASSERT_THAT(kernel_->hyp.complaints, IsEmpty()) << "byte " << at << " as " << value;
    }
  }
  EXPECT_GT(loads, 4000U);
  EXPECT_GT(refused, loads / 20) << "the changes reach nothing";
  EXPECT_LT(refused, loads) << "everything is refused";
}

// .hyp.reloc slots outside the module are counted and left alone.
TEST_F(Hostile, SlotsOutsideTheModuleAreLeftAlone) {
  LinkedModule linked(compile_module(R"(
    .section .hyp.text, "ax"
    .balign 4096
    nop
    .section .hyp.data, "aw"
    .balign 4096
    .quad .hyp.text
    .section .hyp.reloc, "a"
    .word 0x7fffffff
    .word .hyp.data - .
    .word -0x7fffffff
  )"));
  ASSERT_TRUE(linked.link());
  ASSERT_TRUE(discover_hyp(linked.kernel, pkvm::Generation::android15_6_6, linked.module));
  linked.module.hyp.start = KernVa{linked.section(".hyp.text").address};
  linked.module.hyp.token = HypVa{FakeHyp::first_va};
  EXPECT_EQ(apply_hyp_relocs(linked.kernel, linked.module), 2U);
  EXPECT_EQ(linked.word(".hyp.data", 0, 8), FakeHyp::first_va);
  EXPECT_THAT(linked.kernel.stored_words, IsEmpty());
}

}  // namespace
}  // namespace pkvmemu::kmod::test
