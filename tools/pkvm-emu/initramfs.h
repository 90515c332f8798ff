// SPDX-License-Identifier: GPL-2.0-only
// The initramfs of a run: made on the fly from .ko files, or the user's own with our wishes added.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "failure.h"
#include "module_file.h"
#include "pkvm/generation.h"
#include "rc.h"
#include "support/file.h"

namespace pkvmemu::tool {

/// lib/modules/RELEASE/NAME.ko for each module, modules.dep from their `depends`, and the rc file
/// when there is a wish. RELEASE is that of the generation's kernel.
Result<Bytes> make_initramfs(pkvm::Generation generation, std::span<const ModuleFile> modules,
                             std::span<const RcLine> wishes);

/// The user's archive, and what its rc file, if it has one, asks for already.
struct UserInitramfs {
  Bytes archive;  ///< plain newc
  std::vector<RcLine> wishes;
};
Outcome<UserInitramfs> open_initramfs(const std::string& path);

/// Appends a second archive with an rc file of all `wishes`; in an initramfs the later file counts.
Result<Bytes> with_wishes(Bytes archive, std::span<const RcLine> wishes);

}  // namespace pkvmemu::tool
