// SPDX-License-Identifier: GPL-2.0-only
#include "build/module_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "build/makefile.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

namespace fs = std::filesystem;

/// What $(srctree) is: no folder that exists. The SDK stands in for the kernel's headers.
constexpr std::string_view kernel_tree = "<kernel>";
/// The kernel's own rules for EL2 objects; the builder has them.
constexpr std::string_view el2_rules = "Makefile.module";
constexpr std::string_view el2_object = "kvm_nvhe.o";
constexpr std::uintmax_t max_makefile = 1 << 20;

/// Variables of kernel builds that would change the module and have no counterpart here.
struct Unsupported {
  std::string_view prefix;
  std::string_view advice;
};
constexpr std::array unsupported = {
    Unsupported{"CFLAGS_", "options for one object are not supported: use ccflags-y"},
    Unsupported{"AFLAGS_", "options for one object are not supported: use ccflags-y"},
    Unsupported{"CFLAGS_REMOVE_", "it cannot be taken from our compiler options"},
    Unsupported{"asflags-y", "assembler sources are not supported"},
    Unsupported{"ldflags-y", "linker options are not supported"},
    Unsupported{"ccflags-remove-y", "our compiler options are fixed"},
    Unsupported{"EXTRA_CFLAGS", "use ccflags-y"},
    Unsupported{"obj-y", "only modules are built: use obj-m"},
    Unsupported{"subdir-", "one folder is built at a time"},
    Unsupported{"KBUILD_EXTRA_SYMBOLS", "symbols of other modules are not resolved by a build"},
};

Result<void> refuse_unsupported(const Makefile& makefile) {
  for (const Word& variable : makefile.assigned())
    for (const Unsupported& row : unsupported)
      if (variable.text.starts_with(row.prefix))
        return makefile.error_at(variable.line, fmt::format("{}: {}", variable.text, row.advice));
  for (const Word& include : makefile.includes())
    if (!include.text.ends_with(el2_rules))
      return makefile.error_at(
          include.line,
          fmt::format("include of {} is not followed: write its lines here", include.text));
  return {};
}

bool is_file(const fs::path& path) {
  std::error_code status;
  return fs::is_regular_file(path, status);
}

/// Whatever it is: the builder says what is wrong with a source that is no file.
bool is_there(const fs::path& path) {
  std::error_code status;
  return fs::exists(path, status);
}

std::optional<std::string> without_suffix(std::string_view text, std::string_view suffix) {
  if (!text.ends_with(suffix) || text.size() == suffix.size()) return std::nullopt;
  return std::string(text.substr(0, text.size() - suffix.size()));
}

/// The folder's Kbuild, else its Makefile, read as a kernel build would.
Result<Makefile> read_makefile(const fs::path& folder, const FolderRequest& request,
                               std::string_view advice) {
  fs::path path = folder / "Kbuild";
  if (!is_file(path)) path = folder / "Makefile";
  if (!is_file(path)) return fail("{}: there is no Makefile; {}", folder.string(), advice);
  std::error_code status;
  if (fs::file_size(path, status) > max_makefile)
    return fail("{}: too large for a Makefile", path.string());
  const Result<Bytes> text = read_file(path);
  if (!text) return std::unexpected(text.error());
  const std::string here = folder.string();
  const Makefile::Variables given = {
      {"KERNELRELEASE", std::string(pkvm::info(request.generation).kernel_release)},
      {"KBUILD_EXTMOD", request.folder.string()},
      {"M", request.folder.string()},
      {"CURDIR", here},
      {"PWD", here},
      {"ARCH", "arm64"},
      {"src", here},
      {"obj", here},
      {"srctree", std::string(kernel_tree)},
  };
  auto makefile = Makefile::parse(
      path.string(), {reinterpret_cast<const char*>(text->data()), text->size()}, given);
  if (!makefile) return makefile;
  if (auto done = refuse_unsupported(*makefile); !done) return std::unexpected(done.error());
  return makefile;
}

Result<std::vector<Word>> words_of(const Makefile& makefile, std::span<const std::string> names) {
  std::vector<Word> all;
  for (const std::string& name : names) {
    auto words = makefile.words(name);
    if (!words) return words;
    std::ranges::move(*words, std::back_inserter(all));
  }
  return all;
}

/// -I and -D by themselves or with their value as the next word, and -W options.
Result<HalfFlags> read_flags(const Makefile& makefile, const fs::path& module_folder) {
  const auto words = makefile.words("ccflags-y");
  if (!words) return std::unexpected(words.error());
  HalfFlags flags;
  for (auto word = words->begin(); word != words->end(); ++word) {
    const std::string_view text = word->text;
    if (text.starts_with("-W") && !text.contains(',')) {  // -Wl, and its like pass others on
      flags.options.emplace_back(text);
      continue;
    }
    if (!text.starts_with("-I") && !text.starts_with("-D"))
      return makefile.error_at(
          word->line,
          fmt::format("ccflags-y: {} is not supported; supported are -I, -D and -W", text));
    std::string argument(text.substr(2));
    if (argument.empty() && std::next(word) == words->end())
      return makefile.error_at(word->line, fmt::format("ccflags-y: nothing follows {}", text));
    if (argument.empty()) argument = (++word)->text;
    if (text[1] == 'D') {
      flags.defines.push_back(argument);
      continue;
    }
    if (argument.starts_with(kernel_tree)) continue;
    // A kernel build runs in the kernel's tree: a relative folder would be there.
    if (!argument.starts_with('/') && !argument.starts_with(module_folder.string()))
      return makefile.error_at(word->line, fmt::format("ccflags-y: -I{0} would lie in the kernel's "
                                                       "tree: write -I$(src)/{0}",
                                                       argument));
    flags.include_directories.emplace_back(argument);
  }
  return flags;
}

/// The source of an object that `word` names, relative to `folder`.
Result<fs::path> source_of(const Makefile& makefile, const fs::path& folder, const Word& word) {
  auto stem = without_suffix(word.text, ".nvhe.o");
  if (!stem) stem = without_suffix(word.text, ".o");
  if (!stem)
    return makefile.error_at(word.line,
                             fmt::format("{} is not an object: expected NAME.o", word.text));
  for (const std::string_view suffix : {".c", ".nvhe.c"})
    if (is_there(folder / (*stem + std::string(suffix))))
      return folder / (*stem + std::string(suffix));
  if (is_file(folder / (*stem + ".S")))
    return makefile.error_at(
        word.line, fmt::format("{}.S: assembler sources are not supported, only C", *stem));
  return makefile.error_at(word.line, fmt::format("{} is listed, but there is no {}", word.text,
                                                  (folder / (*stem + ".c")).string()));
}

class FolderReader {
 public:
  FolderReader(const FolderRequest& request, Makefile makefile)
      : request_(request), makefile_(std::move(makefile)) {}

  Result<ModuleSpec> read();

 private:
  Result<std::string> choose() const;
  Result<void> read_el1(const std::string& name);
  Result<void> read_el2(const Word& object);
  Result<void> add_el2(const Makefile& makefile, const fs::path& folder);

  const FolderRequest& request_;
  Makefile makefile_;
  ModuleSpec spec_;
};

/// The name of the module to build, as obj-m spells it.
Result<std::string> FolderReader::choose() const {
  const auto listed = makefile_.words("obj-m");
  if (!listed) return std::unexpected(listed.error());
  std::vector<std::string> names;
  for (const Word& word : *listed) {
    auto name = without_suffix(word.text, ".o");
    if (!name)
      return makefile_.error_at(word.line,
                                fmt::format("obj-m: {} is not an object: expected NAME.o; "
                                            "subfolders are built one at a time",
                                            word.text));
    const bool wanted = !request_.name || kernel_module_name(*name) == *request_.name;
    if (wanted && std::ranges::find(names, *name) == names.end()) names.push_back(*name);
  }
  if (names.size() == 1) return names.front();
  if (listed->empty())
    return fail("{}: it lists no module: expected a line like 'obj-m := NAME.o'", makefile_.path());
  if (names.empty())
    return fail("{}: obj-m lists no {}.o; drop --name, or mend it", makefile_.path(),
                request_.name.value_or(""));
  return fail("{}: it lists several modules ({}): choose one with --name", makefile_.path(),
              fmt::join(names, ", "));
}

Result<ModuleSpec> FolderReader::read() {
  const auto name = choose();
  if (!name) return std::unexpected(name.error());
  spec_.name = kernel_module_name(*name);
  spec_.generation = request_.generation;
  auto flags = read_flags(makefile_, request_.folder);
  if (!flags) return std::unexpected(flags.error());
  spec_.el1_flags = std::move(*flags);
  if (auto done = read_el1(*name); !done) return std::unexpected(done.error());
  return std::move(spec_);
}

Result<void> FolderReader::read_el1(const std::string& name) {
  const std::array parts = {name + "-y", name + "-objs", name + "-m"};
  const auto objects = words_of(makefile_, parts);
  if (!objects) return std::unexpected(objects.error());
  if (objects->empty()) {
    auto source = source_of(makefile_, request_.folder,
                            {.text = name + ".o", .line = makefile_.words("obj-m")->front().line});
    if (!source) return std::unexpected(source.error());
    spec_.el1_sources.push_back(std::move(*source));
  }
  for (const Word& object : *objects) {
    if (fs::path(object.text).filename() == el2_object) {
      if (auto done = read_el2(object); !done) return done;
      continue;
    }
    auto source = source_of(makefile_, request_.folder, object);
    if (!source) return std::unexpected(source.error());
    spec_.el1_sources.push_back(std::move(*source));
  }
  if (spec_.el2_sources.empty() && is_file(request_.folder / "hyp" / "Makefile"))
    return fail(
        "{}: hyp/Makefile exists, but no line adds hyp/{} to {}-y, so the module would "
        "have no EL2 half",
        makefile_.path(), el2_object, name);
  if (!spec_.el1_sources.empty()) return {};
  return fail("{}: {} has no EL1 source: add one to {}-y", makefile_.path(), spec_.name, name);
}

Result<void> FolderReader::read_el2(const Word& object) {
  const auto here = makefile_.words("hyp-obj-y");
  if (!here) return std::unexpected(here.error());
  if (!here->empty()) {
    spec_.el2_flags = spec_.el1_flags;
    return add_el2(makefile_, request_.folder);
  }
  const fs::path folder = request_.folder / fs::path(object.text).parent_path();
  const auto makefile =
      read_makefile(folder, request_,
                    fmt::format("{}:{} names {}, so it needs one with 'hyp-obj-y := NAME.o'",
                                makefile_.path(), object.line, object.text));
  if (!makefile) return std::unexpected(makefile.error());
  auto flags = read_flags(*makefile, request_.folder);
  if (!flags) return std::unexpected(flags.error());
  spec_.el2_flags = std::move(*flags);
  return add_el2(*makefile, folder);
}

Result<void> FolderReader::add_el2(const Makefile& makefile, const fs::path& folder) {
  const auto objects = makefile.words("hyp-obj-y");
  if (!objects) return std::unexpected(objects.error());
  for (const Word& object : *objects) {
    auto source = source_of(makefile, folder, object);
    if (!source) return std::unexpected(source.error());
    spec_.el2_sources.push_back(std::move(*source));
  }
  if (!spec_.el2_sources.empty()) return {};
  return fail("{}: it lists no EL2 source: expected a line like 'hyp-obj-y := el2.o'",
              makefile.path());
}

/// " DIR/el1.c DIR/hyp/el2.c": what lies where both layouts have the sources.
std::string sources_in(const fs::path& folder) {
  std::vector<std::string> sources;
  for (const fs::path& half : {folder, folder / "hyp"}) {
    std::error_code status;
    for (const auto& entry : fs::directory_iterator(half, status))
      if (entry.path().extension() == ".c") sources.push_back(" " + entry.path().string());
  }
  std::ranges::sort(sources);
  return fmt::format("{}", fmt::join(sources, ""));
}

/// The name that BUILD.bazel gives the module: the first "NAME.ko" in it.
std::string name_in_bazel(const fs::path& folder) {
  const Result<Bytes> file = read_file(folder / "BUILD.bazel");
  if (!file) return "NAME";
  const std::string_view text(reinterpret_cast<const char*>(file->data()), file->size());
  const std::size_t end = text.find(".ko\"");
  const std::size_t quote = end == std::string_view::npos ? end : text.rfind('"', end - 1);
  if (quote == std::string_view::npos) return "NAME";
  return kernel_module_name(text.substr(quote + 1, end - quote - 1));
}

std::string advice_for(const fs::path& folder) {
  if (is_file(folder / "BUILD.bazel"))
    return fmt::format(
        "BUILD.bazel is not read: name the sources that it lists, as in: pkvm-emu build{} --name "
        "{}; or add the Makefile that docs/building.md has for it",
        sources_in(folder), name_in_bazel(folder));
  return "'pkvm-emu new NAME' writes a folder that has one; or name the sources: pkvm-emu build "
         "el1.c hyp/el2.c";
}

}  // namespace

std::string kernel_module_name(std::string_view name) {
  std::string result(name);
  std::ranges::replace(result, '-', '_');
  return result;
}

Result<ModuleSpec> read_module_folder(const FolderRequest& request) {
  auto makefile = read_makefile(request.folder, request, advice_for(request.folder));
  if (!makefile) return std::unexpected(makefile.error());
  return FolderReader(request, std::move(*makefile)).read();
}

}  // namespace pkvmemu::build
