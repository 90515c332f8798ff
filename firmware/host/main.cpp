// SPDX-License-Identifier: GPL-2.0-only
#include "host/console.h"
#include "host/early.h"
#include "host/memory.h"
#include "host/panic.h"

namespace pkvmemu::host {

extern "C" void host_main() {
  memory_init();
  console_attach(map_device(Pa{pkvm::platform::pl011_base}, pkvm::platform::pl011_size));
  printk("pkvm-emu host kernel at EL1\n");
  power_off();
}

}  // namespace pkvmemu::host
