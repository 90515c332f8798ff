// SPDX-License-Identifier: GPL-2.0-only
// The same run for QEMU's `virt` board: Image, initramfs.cpio, virt.dtb, pvmfw.bin and run.sh with
// the whole command line. The folder can be moved; nothing of ours is needed to run it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "failure.h"
#include "run_plan.h"

namespace pkvmemu::tool {

/// What an export writes into its folder, and memory0.bin, memory1.bin ... for --mem.
inline constexpr std::array<std::string_view, 5> exported_files = {
    "Image", "initramfs.cpio", "virt.dtb", "pvmfw.bin", "run.sh"};

Outcome<void> export_qemu(const std::string& folder, const RunPlan& plan,
                          std::span<const std::byte> firmware);

/// run.sh's text; `bootargs` is quoted for the shell.
std::string qemu_script(const std::string& bootargs,
                        std::span<const machine::MemoryImage> memory = {});

}  // namespace pkvmemu::tool
