// SPDX-License-Identifier: GPL-2.0-only
#include "export_qemu.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "machine/device_tree.h"
#include "machine/placement.h"
#include "observe/pvmfw.h"
#include "pkvm/platform.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

namespace platform = pkvm::platform;

constexpr std::uint64_t mebibyte = 1 << 20;

/// 'text' for a POSIX shell, whatever it holds.
std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result + "'";
}

Result<void> make_executable(const std::filesystem::path& path) {
  using std::filesystem::perms;
  std::error_code status;
  std::filesystem::permissions(path, perms::owner_exec | perms::group_exec | perms::others_exec,
                               std::filesystem::perm_options::add, status);
  if (status) return fail("{}: cannot make executable: {}", path.string(), status.message());
  return {};
}

std::string memory_file(std::size_t index) {
  return fmt::format("memory{}.bin", index);
}

Result<void> write_all(const std::filesystem::path& folder, const RunPlan& plan,
                       std::span<const std::byte> firmware) {
  const auto pvmfw = observe::builtin_pvmfw();
  std::vector<machine::Range> reserved;
  for (std::size_t i = 0; i < plan.memory.size(); ++i) {
    const machine::MemoryImage& image = plan.memory[i];
    reserved.push_back(machine::Range{.base = image.address, .size = image.bytes.size()}.pages());
    if (auto written = write_file(folder / memory_file(i), image.bytes); !written) return written;
  }
  auto dtb = machine::device_tree_for_qemu(platform::default_ram_size, true, std::move(reserved),
                                           plan.devices);
  if (!dtb) return std::unexpected(dtb.error());
  const std::string script = qemu_script(plan.bootargs, plan.memory);
  const std::array<std::span<const std::byte>, exported_files.size()> contents = {
      firmware, plan.initramfs, *dtb, pvmfw, std::as_bytes(std::span(script))};
  for (std::size_t i = 0; i < contents.size(); ++i)
    if (auto written = write_file(folder / exported_files[i], contents[i]); !written)
      return written;
  return make_executable(folder / "run.sh");
}

}  // namespace

std::string qemu_script(const std::string& bootargs, std::span<const machine::MemoryImage> memory) {
  std::string loaders;
  for (std::size_t i = 0; i < memory.size(); ++i)
    loaders += fmt::format("  -device loader,file={},addr={:#x},force-raw=on \\\n", memory_file(i),
                           memory[i].address.value);
  return fmt::format(
      "#!/bin/sh\n"
      "# SPDX-License-Identifier: GPL-2.0-only\n"
      "# Written by pkvm-emu {}: the same run on QEMU's virt board. Arguments are passed on.\n"
      "cd \"$(dirname \"$0\")\" || exit\n"
      "exec qemu-system-aarch64 -M virt,virtualization=on,gic-version=3 -cpu max -m {} \\\n"
      "  -nodefaults -display none -serial stdio -no-reboot \\\n"
      "  -kernel Image -initrd initramfs.cpio -dtb virt.dtb \\\n"
      "  -device loader,file=pvmfw.bin,addr={:#x},force-raw=on \\\n"
      "{}"
      "  -append {} \"$@\"\n",
      PKVMEMU_VERSION, platform::default_ram_size / mebibyte,
      machine::pvmfw_range(platform::default_ram_size).base.value, loaders, shell_quoted(bootargs));
}

Outcome<void> export_qemu(const std::string& folder, const RunPlan& plan,
                          std::span<const std::byte> firmware) {
  std::error_code status;
  const bool existed = std::filesystem::exists(folder, status);
  std::filesystem::create_directories(folder, status);
  if (status) return file_error("{}: cannot create: {}", folder, status.message());
  auto written = write_all(folder, plan, firmware);
  if (written) return {};
  if (!existed) std::filesystem::remove_all(folder, status);
  return as_file_error(written.error());
}

}  // namespace pkvmemu::tool
