// SPDX-License-Identifier: GPL-2.0-only
// kCFI hashes in a module's objects, compared across its halves: a function that EL1 declares as
// another type than EL2 defines links in a kernel build, and brings the hypervisor down when it is
// called (pkvm-abi.md 1.8).
#pragma once

#include <string>
#include <vector>

#include "build/object_file.h"

namespace pkvmemu::build {

/// EL2 functions, without the prefix, whose type differs from what an EL1 object declares. `el2` is
/// not prefixed yet. Both have to be built with the same flavour of kCFI.
std::vector<std::string> functions_of_other_types(const ObjectFile& el1, const ObjectFile& el2);

}  // namespace pkvmemu::build
