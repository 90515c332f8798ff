// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a module that is loaded for good: from the archive through its init, which loads the
// EL2 half over a fake hypervisor, to a registered handler. Whatever the file, a refused module's
// memory comes back, and the hypervisor gets no call that would bring a real one down.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "fake_kernel.h"
#include "host/module/loader.h"
#include "image/cpio_writer.h"
#include "image/ko.h"

namespace {

using namespace pkvmemu;

Bytes archive_of(std::span<const std::byte> module) {
  image::CpioWriter writer;
  const bool done = writer.add_file("test.ko", module) &&
                    writer.add_file("lib/modules/modules.options", "options test count=1\n");
  return done ? std::move(writer).finish() : Bytes{};
}

/// What a module's own init would do.
int load_el2(kmod::ModuleLoader& loader, KernVa init) {
  const kmod::Module* module = loader.module_at(init);
  if (module == nullptr) return -14;
  const int status = loader.load_el2_module(module->this_module(), KernVa{});
  return status != 0 ? status : std::min(0, loader.register_el2_call(module->hyp.token));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = image::KoFile::open(bytes);
  if (!file || !file->generation()) return 0;
  const Bytes archive = archive_of(bytes);
  const auto kernel = std::make_unique<kmod::test::FakeKernel>();
  kernel->hyp.generation = *file->generation();
  kernel->resolve_all_from = kmod::test::FakeKernel::module_window - 0x8'0000;
  const auto loader = std::make_unique<kmod::ModuleLoader>(
      *kernel, kmod::LoaderConfig{.generation = *file->generation(),
                                  .release = "6.6.77",
                                  .vermagic = file->vermagic(),
                                  .initramfs = archive});
  kernel->init = [&](KernVa init) { return load_el2(*loader, init); };
  const int status = loader->insmod("test.ko", kmod::LoadKind::late);
  if (status < 0 && (kernel->live_areas() != 0 || !kernel->hyp.owned_frames.empty())) std::abort();
  if (!kernel->hyp.complaints.empty()) std::abort();
  return 0;
}
