// SPDX-License-Identifier: GPL-2.0-only
#include "host/open_firmware.h"

#include <string_view>

#include "host/early.h"
#include "host/memory.h"
#include "host/panic.h"
#include "host/records.h"
#include "lib/memory.h"
#include "lib/string.h"

namespace pkvmemu::host {

namespace {

constinit std::optional<image::Fdt> tree;
constinit DeviceNode* nodes = nullptr;

const char* copy_of(std::string_view text) {
  auto* copy = static_cast<char*>(take_record(text.size() + 1));
  if (copy != nullptr) fw::copy_bytes(copy, text.data(), text.size());
  return copy;
}

DeviceNode* new_node(image::Fdt::Node node) {
  auto* made = static_cast<DeviceNode*>(take_record(sizeof(DeviceNode)));
  if (made == nullptr) return nullptr;
  std::string_view rest = device_tree().name(node);
  made->full_name = copy_of(rest);
  made->name = copy_of(fw::take_until(rest, '@'));
  if (made->name == nullptr || made->full_name == nullptr) return nullptr;
  made->phandle = device_tree().cell(node, "phandle").value_or(0);
  made->node = node;
  made->next = nodes;
  nodes = made;
  return made;
}

template <std::size_t N>
std::string_view field(const char (&text)[N]) {
  return {text, fw::string_length(text, N)};
}

bool is_last(const OfDeviceId& id) {
  return field(id.name).empty() && field(id.type).empty() && field(id.compatible).empty();
}

}  // namespace

const image::Fdt& device_tree() {
  if (tree) return *tree;
  const PhysRange& place = boot_state.info.devicetree;
  const auto opened = image::Fdt::open(
      {linear_pointer<const std::byte>(place.base), static_cast<std::size_t>(place.size)});
  if (!opened) panic("the devicetree was readable at boot, and is not any more");
  tree = *opened;
  return *tree;
}

DeviceNode* device_node(image::Fdt::Node node) {
  for (DeviceNode* known = nodes; known != nullptr; known = known->next)
    if (known->node == node) return known;
  return new_node(node);
}

const OfDeviceId* match_node(const OfDeviceId* table, image::Fdt::Node node) {
  if (table == nullptr) return nullptr;
  const auto compatible = device_tree().property(node, "compatible");
  if (!compatible) return nullptr;
  std::string_view rest(reinterpret_cast<const char*>(compatible->data()), compatible->size());
  while (!rest.empty()) {
    const std::string_view wanted = fw::take_until(rest, '\0');
    for (const OfDeviceId* id = table; !is_last(*id); ++id)
      if (!wanted.empty() && field(id->compatible) == wanted) return id;
  }
  return nullptr;
}

}  // namespace pkvmemu::host
