// SPDX-License-Identifier: GPL-2.0-only
#include "host/panic.h"

#include <array>
#include <cstdarg>

#include "host/arch.h"
#include "host/console.h"
#include "host/events.h"
#include "lib/format.h"
#include "pkvm/smccc.h"

namespace pkvmemu::host {

void power_off() {
  console_flush();
  arch::CallRegisters x{pkvm::psci::system_off};
  arch::smc(x);
  arch::wait_forever();
}

void panic(const char* format, ...) {
  static constinit bool panicking = false;
  if (panicking) power_off();
  panicking = true;
  std::array<char, 512> text{};
  va_list arguments;
  va_start(arguments, format);
  fw::format_text(text, format, arguments);
  va_end(arguments);
  printk("Kernel panic: %s\n", text.data());
  events().emit(pkvm::event::Kind::host_panic, {}, {}, text.data());
  power_off();
}

}  // namespace pkvmemu::host
