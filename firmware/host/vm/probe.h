// SPDX-License-Identifier: GPL-2.0-only
// Whether protected VMs can be had, found out by starting one: create, firmware INFO, SET_FW_IPA,
// memory, one vCPU, run until its firmware reports in and powers off, tear down. It says so in one
// line of the console, and as events.
#pragma once

#include "pkvm/generation.h"

namespace pkvmemu::host {

void probe_protected_vm(pkvm::Generation generation);

}  // namespace pkvmemu::host
