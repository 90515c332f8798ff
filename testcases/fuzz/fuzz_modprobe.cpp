// SPDX-License-Identifier: GPL-2.0-only
// Any text as modules.dep, modules.options, a modprobe.d file and the kernel command line: every
// walk ends, and what it finds lies in the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/module/modprobe_config.h"
#include "host/module/modules_dep.h"
#include "image/cpio_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pkvmemu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  image::CpioWriter writer;
  for (const char* path : {"lib/modules/modules.dep", "lib/modules/modules.options",
                           "lib/modules/modules.softdep", "etc/modprobe.d/a.conf"})
    if (!writer.add_file(path, text)) return 0;
  const Bytes archive = std::move(writer).finish();

  const kmod::ModprobeConfig config(archive, "6.6.77", text);
  image::Line<512> options;
  config.put_options("a", options);
  (void)config.is_blacklisted("a");
  using When = kmod::ModprobeConfig::When;
  for (const When when : {When::before, When::after})
    config.for_each_soft_dependency("a", when, [](std::string_view) {});
  const auto dep = kmod::ModulesDep::open(archive, "6.6.77");
  if (!dep) return 0;
  if (const auto line = dep->find("a")) (void)dep->leads_back(*line);
  return 0;
}
