// SPDX-License-Identifier: GPL-2.0-only
// Reports of runs as the values of the C++ interface.
#pragma once

#include "fault/sites.h"
#include "observe/report.h"
#include "pkvm/generation.h"
#include "pkvmemu/results.h"

namespace pkvmemu::api {

pkvm::Generation to_kernel(Generation generation);
Generation to_public(pkvm::Generation generation);
CallResult to_public(const observe::CallReport& call);
LoadResult to_public(const observe::ModuleReport& module);
TouchResult to_public(const observe::TouchReport& touch);
GuestResult to_public(const observe::GuestReport& guest);
FaultSite to_public(const fault::Site& site);
/// Of a run that has ended.
Verdict to_public(const observe::RunReport& report);

}  // namespace pkvmemu::api
