// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a .ko: read, linked over a fake kernel that exports everything, EL2 half found,
// parameters set.
#include <cstddef>
#include <cstdint>
#include <span>

#include "fake_kernel.h"
#include "host/module/hyp_image.h"
#include "host/module/link.h"
#include "host/module/params.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pkvmemu;
  const auto file = image::KoFile::open(std::as_bytes(std::span(data, size)));
  if (!file) return 0;
  kmod::test::FakeKernel kernel;
  kernel.resolve_all_from = kmod::test::FakeKernel::module_window - 0x8'0000;
  kmod::Module module;
  module.file = *file;
  if (!kmod::Linker(kernel, pkvm::Generation::android15_6_6, {}, module).link()) return 0;
  if (!kmod::discover_hyp(kernel, pkvm::Generation::android15_6_6, module)) return 0;
  (void)kmod::locate_arch_hyp(pkvm::Generation::android15_6_6, module);
  (void)kmod::apply_hyp_relocs(kernel, module);
  (void)kmod::set_parameters(kernel, module, "count=1 text=\"a b\" flag");
  (void)module.exported("shared");
  (void)module.symbol_at(module.this_module());
  return 0;
}
