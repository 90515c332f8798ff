// SPDX-License-Identifier: GPL-2.0-only
// What a run consists of, whichever machine carries it out: initramfs, command line, and what the
// report is to be about. Everything the user can get wrong in a file is found here, before a start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "device/script.h"
#include "failure.h"
#include "machine/declared_device.h"
#include "machine/machine.h"
#include "observe/report.h"
#include "pkvm/generation.h"
#include "run_options.h"
#include "support/file.h"

namespace pkvmemu::tool {

struct RunPlan {
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  Bytes initramfs;  ///< plain newc
  std::string bootargs;
  std::vector<machine::DeclaredDevice> devices;
  std::vector<observe::ModuleRequest> modules;
  std::vector<observe::CallRequest> calls;   ///< in the order in which the guest makes them
  std::vector<std::string> touches;          ///< likewise
  bool is_el2_only = false;                  ///< of some module only the EL2 half is wanted
  bool runs_guests = false;                  ///< in virtual machines
  device::WorldScript world;                 ///< devices and answers of EL3
  std::vector<machine::MemoryImage> memory;  ///< what lies in RAM before the start
  std::string world_text;                    ///< all that says so, for comparison
  std::vector<std::string> module_names;     ///< of all files in an initramfs made here

  /// The name of a module among the files, by its path or name; empty when it is none of them.
  [[nodiscard]] std::string module_named(std::string_view text) const;
  /// The guest is to carry this out: the report is about it, too.
  void note(const RcLine& wish);
};

Outcome<RunPlan> make_plan(const RunOptions& options);

}  // namespace pkvmemu::tool
