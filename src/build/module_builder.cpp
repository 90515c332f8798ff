// SPDX-License-Identifier: GPL-2.0-only
#include "build/module_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <ranges>
#include <string_view>
#include <system_error>
#include <utility>

#include "build/assembly_module.h"
#include "build/hyp_reloc.h"
#include "build/kcfi_types.h"
#include "build/link_script.h"
#include "build/module_source.h"
#include "build/object_file.h"
#include "build/temp_dir.h"
#include "build/toolchain.h"
#include "pkvm/el2_import.h"
#include "pkvm/exports.h"
#include "pkvm/stubs.h"

namespace pkvmemu::build {
namespace {

namespace fs = std::filesystem;

// sizeof(module.name) of every generation.
constexpr std::size_t name_room = 56;

bool is_name_character(unsigned char c) {
  return std::isalnum(c) != 0 || c == '_';
}

/// Said in a sentence, where a compiler would read for minutes or answer with pages.
Result<void> check_source(const fs::path& source) {
  constexpr std::uintmax_t largest = std::uintmax_t{16} << 20U;
  constexpr std::size_t sample = 512;
  std::error_code status;
  if (!fs::exists(source, status)) return fail("{}: no such file", source.string());
  if (auto good = check_readable(source, largest); !good) return good;
  std::array<char, sample> begin{};
  std::ifstream(source, std::ios::binary).read(begin.data(), begin.size() - 1);
  // The array ends with zeros: one before them is the file's own.
  const std::size_t text = std::string_view(begin.data()).size();
  if (std::ranges::any_of(begin | std::views::drop(text), [](char c) { return c != 0; }))
    return fail("{}: is a binary file, expected C source", source.string());
  return {};
}

Result<void> check_sources(const std::vector<fs::path>& sources) {
  for (const fs::path& source : sources)
    if (auto good = check_source(source); !good) return good;
  return {};
}

fs::path kmi_include(const ModuleSpec& spec) {
  return spec.sdk / "kmi" / pkvm::info(spec.generation).kmi / "include";
}

Result<void> check_spec(const ModuleSpec& spec) {
  if (auto done = check_module_name(spec.name); !done) return done;
  for (const std::string& name : spec.depends)
    if (auto done = check_module_name(name); !done) return done;
  if (spec.assembly) return {};
  if (spec.el1_sources.empty() && spec.el1_objects.empty())
    return fail("{}: a module needs at least one EL1 source", spec.name);
  if (auto done = check_sources(spec.el1_sources); !done) return done;
  if (auto done = check_sources(spec.el2_sources); !done) return done;
  std::error_code status;
  if (!fs::is_directory(spec.sdk / "include", status))
    return fail("{}: not the SDK: there is no include directory in it", spec.sdk.string());
  if (!fs::is_directory(kmi_include(spec), status))
    return fail("{}: the SDK in {} has no headers for this generation",
                pkvm::info(spec.generation).kmi, spec.sdk.string());
  return {};
}

/// " (function foo)": the function that refers to `symbol` first, where that can be told.
std::string first_user(const ObjectFile& object, const Symbol& symbol) {
  constexpr std::uint8_t function_type = 2;
  const auto index = static_cast<std::uint32_t>(&symbol - object.symbols().data());
  const auto use = std::ranges::find(object.relocations(), index, &Relocation::symbol);
  if (use == object.relocations().end()) return "";
  const Symbol* user = nullptr;
  for (const Symbol& function : object.symbols()) {
    const bool before = function.section == use->section && function.value <= use->offset;
    if (!before || function.type != function_type) continue;
    if (user == nullptr || user->value <= function.value) user = &function;
  }
  return user == nullptr ? "" : fmt::format(" (function {})", user->name);
}

/// One build: its specification, its directory, and what the tools said on the way.
class Builder {
 public:
  Builder(const ModuleSpec& spec, const TempDir& directory)
      : spec_(spec), directory_(directory.path()) {}

  Result<BuiltModule> build();

 private:
  Result<void> write_inputs();
  Result<fs::path> compile(Level level, const fs::path& source, const std::string& object);
  Result<std::vector<fs::path>> compile_all(Level level, const std::vector<fs::path>& sources);
  Result<fs::path> assemble(std::string_view name, const std::string& text, int first_line,
                            const std::string& object);
  Result<std::vector<fs::path>> compile_halves();
  Result<std::vector<fs::path>> assemble_halves();
  Result<void> assemble_reloc(const std::string& table);
  Result<fs::path> link_el2(const std::vector<fs::path>& objects);
  Result<fs::path> compile_descriptor(const std::vector<fs::path>& objects);
  [[nodiscard]] const OtherModule* exporter_of(std::string_view el2_symbol) const;
  [[nodiscard]] bool imports_at_el2(std::string_view el2_symbol) const;
  Result<void> check_el2_is_complete(const fs::path& object) const;
  Result<void> compare_types(const std::vector<fs::path>& el1_objects);
  Result<fs::path> compile_exports(const std::vector<fs::path>& el1_objects);
  [[nodiscard]] Result<std::vector<std::string>> dependencies(
      const std::vector<fs::path>& objects) const;
  [[nodiscard]] bool is_provided(std::string_view symbol) const;
  Result<void> check_module(const Bytes& image);
  Result<void> run(std::string_view what, const Arguments& arguments, const fs::path& where);
  [[nodiscard]] Result<ObjectFile> read_object(const fs::path& object) const;

  const ModuleSpec& spec_;
  fs::path directory_;
  std::string messages_;
  std::string notes_;
};

Result<void> Builder::run(std::string_view what, const Arguments& arguments,
                          const fs::path& where) {
  Result<ProcessResult> result = run_process(arguments, where);
  if (!result) return std::unexpected(result.error());
  if (result->exit_code != 0)
    return fail("{}: {} failed ({} answered {}):\n{}", spec_.name, what, arguments[0],
                result->exit_code, result->output);
  messages_ += result->output;
  return {};
}

Result<ObjectFile> Builder::read_object(const fs::path& object) const {
  Result<Bytes> image = read_file(directory_ / object);
  if (!image) return std::unexpected(image.error());
  return ObjectFile::parse(fmt::format("{}: {}", spec_.name, object.filename().string()),
                           std::move(*image));
}

Result<void> Builder::write_inputs() {
  std::error_code status;
  fs::create_directories(directory_ / "include" / "generated", status);
  if (status) return fail("{}: cannot create: {}", directory_.string(), status.message());
  const bool has_el2 = !spec_.el2_sources.empty() || spec_.assembly;
  const auto halves = has_el2 ? Halves::el1_and_el2 : Halves::el1_only;
  const std::pair<std::string_view, std::string> files[] = {
      {"include/generated/kmi.h", kmi_header(spec_.generation)},
      {"el2.lds", el2_link_script(spec_.generation)},
      {"module.lds", module_link_script(spec_.generation, halves)},
  };
  for (const auto& [name, text] : files)
    if (auto done = write_file(directory_ / name, text); !done) return done;
  return {};
}

Result<fs::path> Builder::compile(Level level, const fs::path& source, const std::string& object) {
  const KmiRow& row = kmi_row(spec_.generation);
  CompileCommand command;
  command.level = level;
  command.cfi = spec_.cfi.value_or(level == Level::el1 ? row.el1_cfi : row.el2_cfi);
  command.module_name = spec_.name;
  const HalfFlags& flags = level == Level::el1 ? spec_.el1_flags : spec_.el2_flags;
  command.include_directories = spec_.include_directories;
  std::ranges::copy(flags.include_directories, std::back_inserter(command.include_directories));
  // HYP_EVENT_FILE as modules in a kernel tree write it climbs four folders from <asm/...>, which
  // is as deep as drivers/misc/NAME/hyp.
  for (const fs::path& el2 : spec_.el2_sources)
    if (el2.has_parent_path()) command.quote_directories.push_back(el2.parent_path());
  command.source = source;
  command.object = directory_ / object;
  for (const fs::path& own : {directory_ / "include", kmi_include(spec_), spec_.sdk / "include"})
    command.include_directories.push_back(own);
  for (const std::string& define : spec_.defines)
    command.options.push_back("-D" + define);
  for (const std::string& define : flags.defines)
    command.options.push_back("-D" + define);
  // As the kernel compiles, which can import calls alone, no tail calls (pkvm-abi.md 2.7).
  if (level == Level::el2 && (!spec_.others.empty() || !spec_.depends.empty()))
    command.options.emplace_back("-fno-optimize-sibling-calls");
  std::ranges::copy(flags.options, std::back_inserter(command.options));
  if (spec_.warnings == Warnings::fatal) command.options.emplace_back("-Werror");

  // In the caller's directory, so that messages and __FILE__ name sources as the caller does.
  auto done = run(fmt::format("compiling {}", source.string()), compile_arguments(command), ".");
  if (!done) return std::unexpected(done.error());
  return object;
}

Result<std::vector<fs::path>> Builder::compile_all(Level level,
                                                   const std::vector<fs::path>& sources) {
  std::vector<fs::path> objects;
  for (const fs::path& source : sources) {
    // The linker's messages name objects: keep the source's name in them.
    const std::string object = fmt::format("{}-{}-{}.o", level == Level::el1 ? "el1" : "el2",
                                           objects.size(), source.filename().string());
    const Result<fs::path> compiled = compile(level, source, object);
    if (!compiled) return std::unexpected(compiled.error());
    objects.push_back(*compiled);
  }
  return objects;
}

/// The module that exports an EL2 symbol: its EL1 half has EXPORT_SYMBOL of the prefixed name.
const OtherModule* Builder::exporter_of(std::string_view el2_symbol) const {
  const std::string prefixed = fmt::format("{}{}", nvhe_prefix, el2_symbol);
  const auto other = std::ranges::find_if(
      spec_.others, [&prefixed](const OtherModule& each) { return each.has(prefixed); });
  return other == spec_.others.end() ? nullptr : &*other;
}

/// A module that is only named may export anything.
bool Builder::imports_at_el2(std::string_view el2_symbol) const {
  return pkvm::has_el2_imports(spec_.generation) &&
         (exporter_of(el2_symbol) != nullptr || !spec_.depends.empty());
}

Result<void> Builder::check_el2_is_complete(const fs::path& object) const {
  const Result<ObjectFile> el2 = read_object(object);
  if (!el2) return std::unexpected(el2.error());
  for (const Symbol& symbol : el2->symbols()) {
    if (!symbol.is_undefined() || imports_at_el2(symbol.name)) continue;
    if (exporter_of(symbol.name) != nullptr)
      return fail(
          "{}: EL2 code{} calls {} of {}: before android16-6.12 an EL2 half cannot use another's",
          spec_.name, first_user(*el2, symbol), symbol.name, exporter_of(symbol.name)->name);
    return fail(
        "{}: EL2 code{} refers to {}, which no EL2 source defines. The kernel's functions do not "
        "exist at EL2: use the operations of pkvm_module_ops. (Calls of memcpy or memset that "
        "nobody wrote come from copying or clearing a whole struct or array.)",
        spec_.name, first_user(*el2, symbol), symbol.name);
  }
  return {};
}

Result<void> Builder::compare_types(const std::vector<fs::path>& el1_objects) {
  const KmiRow& row = kmi_row(spec_.generation);
  const Cfi flavour = spec_.cfi.value_or(row.el2_cfi);
  if (flavour == Cfi::off || flavour != spec_.cfi.value_or(row.el1_cfi)) return {};
  const Result<ObjectFile> el2 = read_object("el2-all.o");
  if (!el2) return std::unexpected(el2.error());
  for (const fs::path& path : el1_objects) {
    const Result<ObjectFile> el1 = read_object(path);
    if (!el1) return std::unexpected(el1.error());
    for (const std::string& function : functions_of_other_types(*el1, *el2)) {
      const std::string message = fmt::format(
          "{}: {} has another type at EL2 than EL1 declares; the hypervisor checks it (kCFI) and "
          "panics when it is called",
          spec_.name, function);
      if (spec_.warnings == Warnings::fatal) return fail("{}", message);
      messages_ += "warning: " + message + "\n";
    }
  }
  return {};
}

Result<fs::path> Builder::assemble(std::string_view name, const std::string& text, int first_line,
                                   const std::string& object) {
  const Result<Bytes> assembled = spec_.assembly->assemble(name, text, first_line);
  if (!assembled) return std::unexpected(assembled.error());
  if (auto done = write_file(directory_ / object, *assembled); !done)
    return std::unexpected(done.error());
  return object;
}

Result<void> Builder::assemble_reloc(const std::string& table) {
  if (spec_.assembly) {
    const Result<fs::path> done = assemble("hyp-reloc.S", table, 1, "hyp-reloc.o");
    if (!done) return std::unexpected(done.error());
    return {};
  }
  if (auto done = write_file(directory_ / "hyp-reloc.S", table); !done) return done;
  CompileCommand command;
  command.level = Level::el2;
  command.module_name = spec_.name;
  command.source = "hyp-reloc.S";
  command.object = "hyp-reloc.o";
  return run("assembling .hyp.reloc", compile_arguments(command), directory_);
}

Result<fs::path> Builder::link_el2(const std::vector<fs::path>& objects) {
  if (auto done =
          run("linking the EL2 half", link_arguments(objects, "el2.lds", "el2-all.o"), directory_);
      !done)
    return std::unexpected(done.error());
  if (auto done = check_el2_is_complete("el2-all.o"); !done) return std::unexpected(done.error());

  const Result<ObjectFile> linked = read_object("el2-all.o");
  if (!linked) return std::unexpected(linked.error());
  const Result<std::string> table = hyp_reloc_source(*linked);
  if (!table) return std::unexpected(table.error());
  if (auto done = assemble_reloc(*table); !done) return std::unexpected(done.error());
  for (const auto& [what, arguments] : {
           std::pair{"linking the EL2 half with .hyp.reloc",
                     link_arguments({"el2-all.o", "hyp-reloc.o"}, {}, "kvm_nvhe.o")},
           std::pair{"prefixing the EL2 symbols", prefix_arguments(nvhe_prefix, "kvm_nvhe.o")},
       })
    if (auto done = run(what, arguments, directory_); !done) return std::unexpected(done.error());
  return "kvm_nvhe.o";
}

/// Those that were named, and those of the others that export what an object imports.
Result<std::vector<std::string>> Builder::dependencies(const std::vector<fs::path>& objects) const {
  std::vector<std::string> names = spec_.depends;
  for (const fs::path& path : objects) {
    const Result<ObjectFile> object = read_object(path);
    if (!object) return std::unexpected(object.error());
    for (const OtherModule& other : spec_.others) {
      const bool needed = std::ranges::any_of(object->symbols(), [&other](const Symbol& symbol) {
        return symbol.is_undefined() && other.has(symbol.name);
      });
      if (needed && std::ranges::find(names, other.name) == names.end())
        names.push_back(other.name);
    }
  }
  return names;
}

Result<fs::path> Builder::compile_descriptor(const std::vector<fs::path>& objects) {
  const Result<std::vector<std::string>> depends = dependencies(objects);
  if (!depends) return std::unexpected(depends.error());
  Descriptor descriptor{.name = spec_.name, .generation = spec_.generation, .depends = *depends};
  for (const fs::path& path : objects) {
    const Result<ObjectFile> object = read_object(path);
    if (!object) return std::unexpected(object.error());
    descriptor.has_init |= object->find_defined_symbol("init_module") != nullptr;
    descriptor.has_exit |= object->find_defined_symbol("cleanup_module") != nullptr;
  }
  const std::string name = spec_.name + ".mod.c";
  if (auto done = write_file(directory_ / name, descriptor_source(descriptor)); !done)
    return std::unexpected(done.error());
  return compile(Level::el1, directory_ / name, spec_.name + ".mod.o");
}

/// An entry of the module's export table for each global symbol of the objects.
Result<fs::path> Builder::compile_exports(const std::vector<fs::path>& el1_objects) {
  std::vector<std::string> names;
  for (const fs::path& path : el1_objects) {
    const Result<ObjectFile> object = read_object(path);
    if (!object) return std::unexpected(object.error());
    for (const Symbol& symbol : object->symbols()) {
      const bool is_own = symbol.name == "init_module" || symbol.name == "cleanup_module";
      if (symbol.section == 0 || symbol.binding == 0 || symbol.name.empty() || is_own) continue;
      names.emplace_back(symbol.name);
    }
  }
  std::string text = "#include <linux/export.h>\n";
  for (const std::string& name : names)
    text += fmt::format("EXPORT_SYMBOL({});\n", name);
  const std::string source = spec_.name + ".exports.c";
  if (auto done = write_file(directory_ / source, text); !done)
    return std::unexpected(done.error());
  return compile(Level::el1, directory_ / source, spec_.name + ".exports.o");
}

bool Builder::is_provided(std::string_view symbol) const {
  return pkvm::is_exported(symbol) || pkvm::find_stub(symbol).has_value() ||
         std::ranges::any_of(spec_.others,
                             [symbol](const OtherModule& other) { return other.has(symbol); });
}

Result<void> Builder::check_module(const Bytes& image) {
  const Result<ObjectFile> module = ObjectFile::parse(spec_.name, image);
  if (!module) return std::unexpected(module.error());
  std::vector<std::string_view> missing;
  for (const Symbol& symbol : module->symbols()) {
    if (!symbol.is_undefined()) continue;
    if (symbol.name.starts_with(nvhe_prefix)) {
      if (imports_at_el2(symbol.name.substr(nvhe_prefix.size())) || is_provided(symbol.name))
        continue;
      return fail("{}: EL1 code refers to {}, but no EL2 source defines {}", spec_.name,
                  symbol.name, symbol.name.substr(nvhe_prefix.size()));
    }
    if (!is_provided(symbol.name)) missing.push_back(symbol.name);
  }
  // A module that is only named may export anything.
  if (!missing.empty() && spec_.depends.empty())
    notes_ = fmt::format(
        "warning: {}: the kernel here does not export {}: if another module does, give it with "
        "--depends FILE.ko; otherwise the load will fail\n",
        spec_.name, fmt::join(missing, ", "));
  return {};
}

/// Objects of EL1's half, of the descriptor and of EL2's half.
Result<std::vector<fs::path>> Builder::compile_halves() {
  Result<std::vector<fs::path>> objects = compile_all(Level::el1, spec_.el1_sources);
  if (!objects) return std::unexpected(objects.error());
  for (const fs::path& object : spec_.el1_objects)
    objects->push_back(fs::absolute(object));
  if (spec_.exports_all) {
    const Result<fs::path> exports = compile_exports(*objects);
    if (!exports) return std::unexpected(exports.error());
    objects->push_back(*exports);
  }
  if (!spec_.el2_sources.empty()) {
    const Result<std::vector<fs::path>> el2_objects = compile_all(Level::el2, spec_.el2_sources);
    if (!el2_objects) return std::unexpected(el2_objects.error());
    const Result<fs::path> el2 = link_el2(*el2_objects);
    if (!el2) return std::unexpected(el2.error());
    if (auto done = compare_types(*objects); !done) return std::unexpected(done.error());
    objects->push_back(*el2);
  }
  const Result<fs::path> descriptor = compile_descriptor(*objects);
  if (!descriptor) return std::unexpected(descriptor.error());
  objects->push_back(*descriptor);
  return objects;
}

Result<std::vector<fs::path>> Builder::assemble_halves() {
  const AssemblyHalf& half = *spec_.assembly;
  const Result<AssembledModule> texts = assembly_module({.module_name = spec_.name,
                                                         .generation = spec_.generation,
                                                         .cfi = spec_.cfi,
                                                         .depends = spec_.depends,
                                                         .file = half.name,
                                                         .text = half.text,
                                                         .first_line = half.first_line});
  if (!texts) return std::unexpected(texts.error());
  const Result<fs::path> el1 = assemble("el1.S", texts->el1, 1, "el1.o");
  if (!el1) return std::unexpected(el1.error());
  const Result<fs::path> own = assemble(half.name, texts->el2, texts->el2_first_line, "el2.o");
  if (!own) return std::unexpected(own.error());
  const Result<fs::path> el2 = link_el2({*own});
  if (!el2) return std::unexpected(el2.error());
  return std::vector<fs::path>{*el1, *el2};
}

Result<BuiltModule> Builder::build() {
  if (auto done = write_inputs(); !done) return std::unexpected(done.error());
  const Result<std::vector<fs::path>> objects =
      spec_.assembly ? assemble_halves() : compile_halves();
  if (!objects) return std::unexpected(objects.error());
  if (auto done = run("linking the module", link_arguments(*objects, "module.lds", "module.ko"),
                      directory_);
      !done)
    return std::unexpected(done.error());

  Result<Bytes> image = read_file(directory_ / "module.ko");
  if (!image) return std::unexpected(image.error());
  if (auto done = check_module(*image); !done) return std::unexpected(done.error());
  return BuiltModule{
      .image = std::move(*image), .messages = std::move(messages_), .notes = std::move(notes_)};
}

}  // namespace

Result<void> check_module_name(const std::string& name) {
  if (!name.empty() && name.size() < name_room && std::ranges::all_of(name, is_name_character))
    return {};
  return fail("\"{}\" cannot be a module's name: use 1 to {} letters, digits and underscores", name,
              name_room - 1);
}

Result<BuiltModule> build_module(const ModuleSpec& spec) {
  if (auto done = check_spec(spec); !done) return std::unexpected(done.error());
  const Result<TempDir> directory = TempDir::create();
  if (!directory) return std::unexpected(directory.error());
  return Builder(spec, *directory).build();
}

}  // namespace pkvmemu::build
