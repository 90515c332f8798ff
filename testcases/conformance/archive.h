// SPDX-License-Identifier: GPL-2.0-only
// An initramfs of a test's own: modules in the folders it wants, /pkvm-emu.rc with early wishes.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/emulator.h"
#include "image/cpio_writer.h"
#include "support/file.h"

namespace pkvmemu::test {

class Archive {
 public:
  /// `folder` is below lib/modules: "6.6.77/" or "" for the flat one. Its modules.dep lists `name`.
  Archive& module(std::string_view folder, const std::string& name, const std::string& file) {
    const std::string directory = "lib/modules/" + std::string(folder);
    check(writer_.add_file(directory + name + ".ko", read_file(file).value()));
    std::string& dep = folder.empty() ? flat_dep_ : dep_;
    dep += name + ".ko:\n";
    dep_folder_ = folder.empty() ? dep_folder_ : directory;
    return *this;
  }
  Archive& file(std::string_view path, std::string_view text) {
    check(writer_.add_file(path, text));
    return *this;
  }
  /// Writes it; the path, for --initramfs, is good as long as this object. No more to add then.
  std::string write() {
    if (!dep_.empty()) check(writer_.add_file(dep_folder_ + "modules.dep", dep_));
    if (!flat_dep_.empty()) check(writer_.add_file("lib/modules/modules.dep", flat_dep_));
    const std::string path = folder_.path() / "initramfs.cpio";
    const Bytes archive = std::move(writer_).finish();
    check(write_file(path, archive));
    return path;
  }

 private:
  static void check(const Result<void>& done) {
    if (!done) throw std::runtime_error(done.error().message);
  }

  ScratchDirectory folder_;
  image::CpioWriter writer_;
  std::string dep_;
  std::string dep_folder_;
  std::string flat_dep_;
};

}  // namespace pkvmemu::test
