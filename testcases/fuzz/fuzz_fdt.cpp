// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a devicetree: what opens can be asked everything.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "image/fdt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using pkvmemu::image::Fdt;
  const auto fdt = Fdt::open(std::as_bytes(std::span(data, size)));
  if (!fdt) return 0;
  for (std::optional<Fdt::Node> node = Fdt::root(); node; node = fdt->next(*node)) {
    (void)fdt->reg(*node);
    (void)fdt->is_compatible(*node, "arm,pl011");
  }
  (void)fdt->initrd();
  return 0;
}
