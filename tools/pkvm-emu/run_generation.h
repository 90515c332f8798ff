// SPDX-License-Identifier: GPL-2.0-only
// Which kernel generation a run has: what the command line says, else that of its modules, which
// must agree, since one kernel loads them all.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "failure.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace pkvmemu::tool {

class RunGeneration {
 public:
  /// `cmdline`: the user's own kernel parameters; a valid pkvmemu.generation= there decides.
  explicit RunGeneration(std::string_view cmdline);

  /// A module of the run. Refused when an earlier one was built for another generation.
  Outcome<void> add_module(const std::string& path, pkvm::Generation generation);
  /// The modules of these names in the user's archive (plain newc). Files that are no modules are
  /// the kernel's to refuse.
  Outcome<void> add_archive(const std::string& archive_path, const Bytes& archive,
                            std::span<const std::string> names);

  /// Without modules: the baseline of this version.
  pkvm::Generation value() const { return given_.value_or(found_.value_or(baseline)); }

 private:
  static constexpr pkvm::Generation baseline = pkvm::Generation::android15_6_6;

  std::optional<pkvm::Generation> given_;
  std::optional<pkvm::Generation> found_;
  std::string first_path_;  ///< the module that decided
};

}  // namespace pkvmemu::tool
