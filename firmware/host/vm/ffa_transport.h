// SPDX-License-Identifier: GPL-2.0-only
// The kernel's FF-A driver, as far as guests need it: it agrees with the secure world on a version
// and has buffers mapped, through which the hypervisor then speaks for protected guests (6.12).
#pragma once

namespace pkvmemu::host {

/// Once, at the first guest that is to speak FF-A. Without a secure world nothing comes of it.
void connect_to_secure_world();

}  // namespace pkvmemu::host
