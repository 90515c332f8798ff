// SPDX-License-Identifier: GPL-2.0-only
#include "export_qemu.h"

#include <gmock/gmock.h>

#include <string>

namespace pkvmemu::tool {
namespace {

using testing::HasSubstr;

// The script is QEMU's whole command line, with the firmware where the devicetree says it is.
TEST(QemuScript, NamesEveryFile) {
  const std::string script = qemu_script("kvm-arm.mode=protected");
  EXPECT_THAT(script, testing::StartsWith("#!/bin/sh\n"));
  for (const char* part : {"-M virt,virtualization=on,gic-version=3", "-cpu max", "-m 1024",
                           "-kernel Image", "-initrd initramfs.cpio", "-dtb virt.dtb",
                           "file=pvmfw.bin,addr=0x7e000000", "-append 'kvm-arm.mode=protected'"})
    EXPECT_THAT(script, HasSubstr(part));
}

// Whatever the command line holds reaches the kernel, and nothing else reaches the shell.
TEST(QemuScript, QuotesTheCommandLine) {
  EXPECT_THAT(qemu_script("a='b' $(reboot)"), HasSubstr(R"(-append 'a='\''b'\'' $(reboot)')"));
}

}  // namespace
}  // namespace pkvmemu::tool
