// SPDX-License-Identifier: GPL-2.0-only
#include "build/toolchain.h"

#include <fmt/format.h>

#include <array>

namespace pkvmemu::build {
namespace {

constexpr std::array common_flags = {
    "--target=aarch64-linux-gnu",
    "-std=gnu11",
    "-nostdinc",
    "-O2",
    "-Wall",
    "-Wno-unused-but-set-variable",
    "-Wno-pointer-sign",  // as a kernel build has it: `long token` is what people write
    "-Werror=implicit-function-declaration",
    "-Werror=incompatible-pointer-types",
    "-Werror=return-type",
    "-D__KERNEL__",
    "-DMODULE",
    "-march=armv8-a",
    "-mgeneral-regs-only",
    "-mno-outline-atomics",
    "-mbranch-protection=pac-ret",
    "-ffixed-x18",  // the shadow call stack's register at EL1; EL2 code does without it too
    "-fno-pic",
    "-fno-strict-aliasing",
    "-fno-strict-overflow",
    "-fno-delete-null-pointer-checks",
    "-fno-common",
    "-funsigned-char",
    "-fshort-wchar",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-ident",
    "-fno-addrsig",
};

void append_cfi(Arguments& arguments, Cfi cfi) {
  if (cfi == Cfi::off) return;
  arguments.emplace_back("-fsanitize=kcfi");
  if (cfi == Cfi::normalised)
    arguments.emplace_back("-fsanitize-cfi-icall-experimental-normalize-integers");
}

}  // namespace

Arguments compile_arguments(const CompileCommand& command) {
  Arguments arguments{"clang-19"};
  arguments.insert(arguments.end(), common_flags.begin(), common_flags.end());
  arguments.push_back(fmt::format("-DKBUILD_MODNAME=\"{}\"", command.module_name));
  if (command.level == Level::el2) arguments.emplace_back("-D__KVM_NVHE_HYPERVISOR__");
  append_cfi(arguments, command.cfi);
  for (const std::filesystem::path& directory : command.quote_directories)
    arguments.insert(arguments.end(), {"-iquote", directory.string()});
  for (const std::filesystem::path& directory : command.include_directories)
    arguments.push_back("-I" + directory.string());
  arguments.insert(arguments.end(), command.options.begin(), command.options.end());
  arguments.insert(arguments.end(),
                   {"-c", "-o", command.object.string(), "--", command.source.string()});
  return arguments;
}

Arguments link_arguments(const std::vector<std::filesystem::path>& objects,
                         const std::filesystem::path& script, const std::filesystem::path& output) {
  Arguments arguments{"ld.lld-19", "-r"};
  if (!script.empty()) arguments.insert(arguments.end(), {"-T", script.string()});
  arguments.insert(arguments.end(), {"-o", output.string()});
  for (const std::filesystem::path& object : objects)
    arguments.push_back(object.string());
  return arguments;
}

Arguments prefix_arguments(std::string_view prefix, const std::filesystem::path& object) {
  return {"llvm-objcopy-19", fmt::format("--prefix-symbols={}", prefix), object.string()};
}

}  // namespace pkvmemu::build
