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
Result<void> GuestRuns::set_calls(std::uint64_t calls) const {
  auto archive = read_file(folder_ / "modules.cpio");
  if (!archive) return std::unexpected(archive.error());
  image::CpioWriter writer;
  if (auto added = writer.add_file(pkvm::platform::rc_path,
                                   fmt::format("call repeat={} hello/hello_hvc:0x1,0x2\n", calls));
      !added)
    return added;
  const Bytes wish = std::move(writer).finish();
  archive->insert(archive->end(), wish.begin(), wish.end());
  return write_file(folder_ / "initramfs.cpio", *archive);
}

Result<Paired> GuestRuns::run(std::uint64_t calls, unsigned pairs) const {
  if (auto set = set_calls(calls); !set) return std::unexpected(set.error());
  Paired result;
  for (unsigned i = 0; i < pairs; ++i) {
    auto ours = run_child({binary, "run", "--firmware", folder_ / "Image", "--initramfs",
                           folder_ / "initramfs.cpio", "hello"});
    if (!ours) return std::unexpected(ours.error());
    auto qemu = run_child({folder_ / "run.sh"});
    if (!qemu) return std::unexpected(qemu.error());
    result.ours.push_back(*ours);
    result.qemu.push_back(*qemu);
  }
  return result;
}

}  // namespace pkvmemu::bench
