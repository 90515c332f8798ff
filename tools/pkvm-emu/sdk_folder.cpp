// SPDX-License-Identifier: GPL-2.0-only
#include "sdk_folder.h"

#include <sys/auxv.h>

#include <bit>
#include <system_error>

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;

/// This program's file. A chroot may have no /proc: then it is where the kernel was told to look.
fs::path own_file() {
  std::error_code status;
  fs::path file = fs::read_symlink("/proc/self/exe", status);
  if (!status) return file;
  const auto* name = std::bit_cast<const char*>(getauxval(AT_EXECFN));
  if (name == nullptr) return {};
  file = fs::canonical(name, status);
  return status ? fs::path() : file;
}

}  // namespace

Result<fs::path> find_sdk() {
  const fs::path program = own_file();
  if (program.empty()) return fail("cannot find the SDK beside this program; name it with --sdk");
  fs::path sdk = program.parent_path().parent_path() / "share" / "pkvm-emu" / "sdk";
  std::error_code status;
  if (fs::is_directory(sdk / "include", status)) return sdk;
  return fail("{}: the SDK is not there; name it with --sdk, or install pkvm-emu again",
              sdk.string());
}

}  // namespace pkvmemu::tool
