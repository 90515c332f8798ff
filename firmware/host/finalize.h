// SPDX-License-Identifier: GPL-2.0-only
// The end of the host's privileges: protected modules, IOMMU, prot_finalize, and what happens to
// pVM firmware when something on the way fails (pkvm-abi.md 6.1 to 6.5).
#pragma once

#include "host/boot_info.h"
#include "host/command_line.h"

namespace pkvmemu::host {

/// Up to the last moment before privileges go: modules in list order, IOMMU, firmware kept or
/// wiped.
void prepare_protection(const CommandLine& line);
/// Privileges go. Does nothing when KVM is off.
void drop_privileges(const CommandLine& line);

/// What this kernel still knows of pVM firmware; a wipe may make it forget.
PhysRange& known_firmware();

}  // namespace pkvmemu::host
