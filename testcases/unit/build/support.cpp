// SPDX-License-Identifier: GPL-2.0-only
#include "support.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "support/file.h"

namespace pkvmemu::build {

const std::string_view demo_el1 = R"(
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/module.h>
int kvm_nvhe_sym(demo_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(demo_hvc)(struct user_pt_regs *regs);
static int __init demo_init(void)
{
	unsigned long token;
	int ret = pkvm_load_el2_module(kvm_nvhe_sym(demo_hyp_init), &token);
	return ret ? ret : pkvm_register_el2_mod_call(kvm_nvhe_sym(demo_hvc), token);
}
module_init(demo_init);
MODULE_LICENSE("GPL");
)";

const std::string_view demo_el2 = R"(
#include <asm/kvm_pkvm_module.h>
void demo_hvc(struct user_pt_regs *regs) { cpu_reg(regs, 0) = 0; }
int demo_hyp_init(const struct pkvm_module_ops *ops) { return 0; }
)";

namespace {

// 6.1 hands a handler its CPU context.
std::string with_handlers_of(pkvm::Generation generation, std::string_view text) {
  const std::string_view later = "struct user_pt_regs";
  std::string result(text);
  if (generation != pkvm::Generation::android14_6_1) return result;
  for (std::size_t at = 0; (at = result.find(later, at)) != std::string::npos;)
    result.replace(at, later.size(), "struct kvm_cpu_context");
  return result;
}

}  // namespace

BuilderTest::BuilderTest() : directory_(TempDir::create().value()) {}

std::filesystem::path BuilderTest::source(const std::string& name, std::string_view text) {
  const std::filesystem::path path = directory_.path() / name;
  if (!write_file(path, text)) throw std::runtime_error("cannot write " + path.string());
  return path;
}

ModuleSpec BuilderTest::spec(std::string_view el1, std::string_view el2) {
  ModuleSpec specification;
  specification.name = "demo";
  specification.sdk = PKVMEMU_SDK;
  specification.el1_sources = {source("el1.c", el1)};
  specification.el2_sources = {source("el2.c", el2)};
  return specification;
}

ModuleSpec BuilderTest::demo(pkvm::Generation generation) {
  ModuleSpec specification =
      spec(with_handlers_of(generation, demo_el1), with_handlers_of(generation, demo_el2));
  specification.generation = generation;
  return specification;
}

ObjectFile BuilderTest::build(const ModuleSpec& specification) {
  Result<BuiltModule> built = build_module(specification);
  if (!built) throw std::runtime_error(built.error().message);
  return ObjectFile::parse("demo.ko", std::move(built->image)).value();
}

std::string BuilderTest::build_error(const ModuleSpec& specification) {
  const Result<BuiltModule> built = build_module(specification);
  return built ? "(the build succeeded)" : built.error().message;
}

std::string kmi_test_name(pkvm::Generation generation) {
  std::string name(pkvm::info(generation).kmi);
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

std::uint32_t word_before(const ObjectFile& object, std::string_view name) {
  const Symbol* symbol = object.find_defined_symbol(name);
  if (symbol == nullptr) throw std::runtime_error("no symbol " + std::string(name));
  const Section& section = object.sections()[symbol->section];
  std::uint32_t word = 0;
  if (symbol->value < sizeof(word)) throw std::runtime_error("nothing before " + std::string(name));
  std::memcpy(&word, section.data.data() + symbol->value - sizeof(word), sizeof(word));
  return word;
}

std::vector<std::string> strings_of(const ObjectFile& object, std::string_view section) {
  const Section* found = object.find_section(section);
  if (found == nullptr) throw std::runtime_error("no section " + std::string(section));
  std::vector<std::string> strings;
  const auto* text = reinterpret_cast<const char*>(found->data.data());
  for (std::size_t at = 0; at < found->data.size(); at += strings.back().size() + 1)
    strings.emplace_back(text + at, strnlen(text + at, found->data.size() - at));
  return strings;
}

std::vector<Relocation> relocations_of(const ObjectFile& object, std::string_view section) {
  std::vector<Relocation> found;
  for (const Relocation& relocation : object.relocations())
    if (object.sections()[relocation.section].name == section) found.push_back(relocation);
  return found;
}

}  // namespace pkvmemu::build
