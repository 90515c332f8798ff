// SPDX-License-Identifier: GPL-2.0-only
#include "sdk_folder.h"

#include <system_error>

namespace pkvmemu::tool {

Result<std::filesystem::path> find_sdk() {
  namespace fs = std::filesystem;
  std::error_code status;
  const fs::path program = fs::read_symlink("/proc/self/exe", status);
  if (status) return fail("cannot find the SDK: {}; name it with --sdk", status.message());
  fs::path sdk = program.parent_path().parent_path() / "share" / "pkvm-emu" / "sdk";
  if (fs::is_directory(sdk / "include", status)) return sdk;
  return fail("{}: the SDK is not there; name it with --sdk, or install pkvm-emu again",
              sdk.string());
}

}  // namespace pkvmemu::tool
