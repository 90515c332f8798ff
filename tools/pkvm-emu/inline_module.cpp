// SPDX-License-Identifier: GPL-2.0-only
#include "inline_module.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>
#include <vector>

#include "build/module_builder.h"
#include "code/assembler.h"
#include "sdk_folder.h"
#include "support/file.h"

namespace pkvmemu::tool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view headers =
    "#include <asm/kvm_pkvm_module.h>\n"
    "#include <linux/errno.h>\n"
    "#include <linux/init.h>\n"
    "#include <linux/kernel.h>\n"
    "#include <linux/version.h>\n"
    "#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)\n"
    "typedef struct kvm_cpu_context handler_regs;\n"
    "#else\n"
    "typedef struct user_pt_regs handler_regs;\n"
    "#endif\n";

/// Messages of the compiler name the scenario's own lines.
std::string placed(const scenario::InlineText& code, std::string_view file) {
  return fmt::format("#line {} \"{}\"\n{}\n", code.first_line, file, code.text);
}

/// NAME of each `HANDLER(NAME)`, in their order.
std::vector<std::string> handlers_of(std::string_view text) {
  constexpr std::string_view mark = "HANDLER(";
  std::vector<std::string> names;
  for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark)) {
    text.remove_prefix(at + mark.size());
    names.emplace_back(text.substr(0, text.find(')')));
  }
  return names;
}

bool has_init(std::string_view text) {
  return text.starts_with("INIT") || text.contains("\nINIT");
}

std::string el2_text(const scenario::Module& module, std::string_view file) {
  return fmt::format(
      "{}"
      "static const struct pkvm_module_ops *ops;\n"
      "#define HANDLER(name) void name(handler_regs *regs)\n"
      "#define INIT static int inline_init(void)\n"
      "{}"
      "int {}_hyp_init(const struct pkvm_module_ops *module_ops);\n"
      "int {}_hyp_init(const struct pkvm_module_ops *module_ops)\n"
      "{{\n"
      "\tops = module_ops;\n"
      "\treturn {};\n"
      "}}\n",
      headers, placed(module.el2, file), module.name, module.name,
      has_init(module.el2.text) ? "inline_init()" : "ops ? 0 : -EINVAL");
}

/// Loads the EL2 half and registers its handlers.
std::string el1_text(const scenario::Module& module) {
  std::string declarations;
  std::string calls;
  for (const std::string& handler : handlers_of(module.el2.text)) {
    declarations += fmt::format("void kvm_nvhe_sym({})(handler_regs *regs);\n", handler);
    calls += fmt::format(
        "\tif (!ret)\n\t\tret = pkvm_register_el2_mod_call(kvm_nvhe_sym({}), token);\n"
        "\tif (ret > 0)\n\t\tret = 0;\n",
        handler);
  }
  return fmt::format(
      "{0}#include <linux/module.h>\n{1}"
      "int kvm_nvhe_sym({2}_hyp_init)(const struct pkvm_module_ops *ops);\n"
      "static int __init {2}_init(void)\n"
      "{{\n"
      "\tunsigned long token;\n"
      "\tint ret = pkvm_load_el2_module(kvm_nvhe_sym({2}_hyp_init), &token);\n"
      "\n{3}\treturn ret;\n"
      "}}\n"
      "module_init({2}_init);\n"
      "MODULE_LICENSE(\"GPL\");\n",
      headers, declarations, module.name, calls);
}

build::AssemblyHalf assembly_of(const InlineRequest& request) {
  const auto assemble = [](std::string_view name, std::string_view text, int first_line) {
    return code::assemble({.name = name, .text = text, .first_line = first_line});
  };
  return {.name = std::string(request.scenario_file),
          .text = request.module->el2.text,
          .first_line = request.module->el2.first_line,
          .assemble = assemble};
}

Outcome<void> add_sources(const InlineRequest& request, build::ModuleSpec& spec) {
  const scenario::Module& module = *request.module;
  const fs::path folder = request.folder / module.name;
  std::error_code status;
  fs::create_directories(folder / "hyp", status);
  if (status) return file_error("{}: cannot create: {}", folder.string(), status.message());
  const std::string el1 =
      module.el1 ? placed(*module.el1, request.scenario_file) : el1_text(module);
  spec.el1_sources = {folder / "el1.c"};
  spec.el2_sources = {folder / "hyp" / "el2.c"};
  for (const auto& [path, text] : {std::pair{spec.el1_sources[0], el1},
                                   {spec.el2_sources[0], el2_text(module, request.scenario_file)}})
    if (auto written = write_file(path, text); !written) return as_file_error(written.error());
  auto sdk = find_sdk();
  if (!sdk) return as_file_error(sdk.error());
  spec.sdk = std::move(*sdk);
  return {};
}

}  // namespace

Outcome<std::string> build_inline(const InlineRequest& request) {
  build::ModuleSpec spec;
  spec.name = request.module->name;
  spec.generation = request.generation;
  if (auto good = build::check_module_name(spec.name); !good) return as_file_error(good.error());
  if (request.module->kind == scenario::ModuleKind::assembly)
    spec.assembly = assembly_of(request);
  else if (auto added = add_sources(request, spec); !added)
    return std::unexpected(added.error());
  const auto built = build::build_module(spec);
  if (!built) return as_file_error(built.error());
  const fs::path path = request.folder / (spec.name + ".ko");
  if (auto written = write_file(path, built->image); !written)
    return as_file_error(written.error());
  return path.string();
}

}  // namespace pkvmemu::tool
