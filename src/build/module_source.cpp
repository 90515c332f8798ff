// SPDX-License-Identifier: GPL-2.0-only
#include "build/module_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "build/kmi.h"

namespace pkvmemu::build {

std::string kmi_header(pkvm::Generation generation) {
  const pkvm::GenerationInfo& info = pkvm::info(generation);
  return fmt::format(
      "#pragma once\n"
      "#define KMI_NAME \"{}\"\n"
      "#define KMI_MODULE_SIZE {}\n"
      "#define KMI_MODULE_NAME {}\n"
      "#define KMI_MODULE_INIT {}\n"
      "#define KMI_MODULE_ARCH_HYP {}\n"
      "#define KMI_MODULE_EXIT {}\n"
      "#define KMI_HYP_INIT {}\n"
      "#define KMI_HYP_SIZE {}\n"
      "#define KMI_OPS_SLOTS {}\n",
      info.kmi, info.module.size, info.module.name, info.module.init, info.module.arch_hyp,
      info.module.exit, info.module.hyp_init, info.module.hyp_size, info.ops_slots);
}

std::string vermagic(pkvm::Generation generation) {
  return fmt::format("{}{}", pkvm::info(generation).kernel_release,
                     kmi_row(generation).vermagic_tail);
}

std::string descriptor_source(const Descriptor& descriptor) {
  return fmt::format(
      "#include <linux/module.h>\n"
      "struct module __this_module __section(\".gnu.linkonce.this_module\") = {{\n"
      "\t.name = \"{0}\",\n"
      "{1}{2}"
      "}};\n"
      "MODULE_INFO(depends, \"{4}\");\n"
      "MODULE_INFO(name, \"{0}\");\n"
      "MODULE_INFO(vermagic, \"{3}\");\n",
      descriptor.name, descriptor.has_init ? "\t.init = init_module,\n" : "",
      descriptor.has_exit ? "\t.exit = cleanup_module,\n" : "", vermagic(descriptor.generation),
      fmt::join(descriptor.depends, ","));
}

}  // namespace pkvmemu::build
