// SPDX-License-Identifier: GPL-2.0-only
#include "guest_runs.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "image/cpio_writer.h"
#include "pkvm/platform.h"
#include "support/file.h"

namespace pkvmemu::bench {
namespace {

const std::string binary = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";
const std::string hello = PKVMEMU_BUILD_DIR "/modules/hello.ko";

}  // namespace

Result<GuestRuns> GuestRuns::create(const std::filesystem::path& folder) {
  const auto exported = run_child({binary, "run", hello, "--export-qemu", folder});
  if (!exported) return std::unexpected(exported.error());
  std::error_code status;
  std::filesystem::copy_file(folder / "initramfs.cpio", folder / "modules.cpio",
                             std::filesystem::copy_options::overwrite_existing, status);
  if (status) return fail("{}: {}", folder.string(), status.message());
  return GuestRuns(folder);
}

/// The archive with the module, then a second one with the wish: in an initramfs the later counts.
Result<void> GuestRuns::set_wishes(const std::string& wishes) const {
  auto archive = read_file(folder_ / "modules.cpio");
  if (!archive) return std::unexpected(archive.error());
  image::CpioWriter writer;
  if (auto added = writer.add_file(pkvm::platform::rc_path, wishes); !added) return added;
  const Bytes wish = std::move(writer).finish();
  archive->insert(archive->end(), wish.begin(), wish.end());
  return write_file(folder_ / "initramfs.cpio", *archive);
}

Result<void> GuestRuns::set_calls(std::uint64_t calls) const {
  return set_wishes(fmt::format("call repeat={} hello/hello_hvc:0x1,0x2\n", calls));
}

Result<ChildRun> GuestRuns::run_ours(const std::vector<std::string>& options) const {
  std::vector<std::string> command = {
      binary, "run", "--firmware", folder_ / "Image", "--initramfs", folder_ / "initramfs.cpio",
      "hello"};
  command.insert(command.end(), options.begin(), options.end());
  return run_child(command);
}

Result<Paired> GuestRuns::run(std::uint64_t calls, unsigned pairs) const {
  return run_wishes(fmt::format("call repeat={} hello/hello_hvc:0x1,0x2\n", calls), pairs);
}

Result<Paired> GuestRuns::run_with_and_without_vm(unsigned pairs) const {
  if (auto set = set_calls(1); !set) return std::unexpected(set.error());
  Paired result;
  for (unsigned i = 0; i < pairs; ++i) {
    auto with = run_ours({});
    if (!with) return std::unexpected(with.error());
    auto without = run_ours({"--no-pvm"});
    if (!without) return std::unexpected(without.error());
    result.ours.push_back(*with);
    result.qemu.push_back(*without);
  }
  return result;
}

Result<Paired> GuestRuns::run_wishes(const std::string& wishes, unsigned pairs) const {
  if (auto set = set_wishes(wishes); !set) return std::unexpected(set.error());
  Paired result;
  for (unsigned i = 0; i < pairs; ++i) {
    auto ours = run_ours({});
    if (!ours) return std::unexpected(ours.error());
    auto qemu = run_child({folder_ / "run.sh"});
    if (!qemu) return std::unexpected(qemu.error());
    result.ours.push_back(*ours);
    result.qemu.push_back(*qemu);
  }
  return result;
}

}  // namespace pkvmemu::bench
