// SPDX-License-Identifier: GPL-2.0-only
// A guest's hypercalls as far as they are the host's: the power of a protected VM, whose hypervisor
// has answered the rest, and everything of an ordinary one.
#pragma once

#include <cstdint>

#include "host/vm/virtual_machine.h"

namespace pkvmemu::host {

enum class CallEffect : std::uint8_t { none, power_off, start, stop };

struct GuestCall {
  CallEffect effect = CallEffect::none;
  unsigned target = 0;  ///< of start
};

GuestCall answer_guest_call(VirtualMachine& vm, unsigned index);

/// Inverts every word of a page, which may be a guest's: false when the hypervisor refused it.
bool invert_words(Pa page);

}  // namespace pkvmemu::host
